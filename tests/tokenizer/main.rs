//! The tokenizer beside the published one, on every line of the reference data, and on the fixture vocabulary.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

#[path = "../fixtures/mini_vocabulary.rs"]
mod mini_vocabulary;

mod mini;
mod published;
