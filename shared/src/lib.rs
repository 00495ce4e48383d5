//! What the browser and the server must agree on, to the byte, and nothing else.
//!
//! A text becomes a training sample in four steps, each in the file of its name:
//!
//! 1. [`tokenizer`]: text to token ids and back, for every published ChatGLM-6B vocabulary
//! 2. [`prompt`]: a question, or a conversation, to the text that the model reads
//! 3. [`sample`]: a [`pair`] to `input_ids`, `labels`, `position_ids` and `attention_mask`
//! 4. [`dataset`]: files of pairs, in every form people have them in
//!
//! A run's options are in [`training`], all that it was made of in [`manifest`], how its answers are counted in
//! [`score`], what travels over HTTP in [`api`], and how an amount of memory is told in [`mod@bytes`].
//!
//! This crate reads bytes and never a path; it has no clock, no randomness and no async.

pub mod api;
pub mod bytes;
pub mod dataset;
pub mod manifest;
pub mod pair;
pub mod prompt;
pub mod sample;
pub mod score;
pub mod tokenizer;
pub mod training;
