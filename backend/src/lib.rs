//! Weft's native backend: model, trainer, chat, server and command line.
//!
//! In reading order, each layer above the ones it uses:
//!
//! - [`cli`], [`settings`]: the commands, and where their options come from
//! - [`server`], [`web`]: the page and what it asks for, over HTTP
//! - [`training`]: the loop, its data order, schedule, optimizer, checkpoints and log
//! - [`chat`], [`generation`]: a conversation to a streamed answer
//! - [`lora`]: adapters in memory and in PEFT's files
//! - [`chatglm`]: the model
//! - [`ops`]: what the model is computed with
//! - [`checkpoint`], [`model_dir`], [`hub`]: published weights, from a folder or fetched
//! - [`model_facts`]: what can be said of a model folder

pub mod bench;
pub mod chat;
pub mod chatglm;
pub mod checkpoint;
pub mod cli;
pub mod generation;
pub mod hub;
pub mod lora;
pub mod model_dir;
pub mod model_facts;
pub mod ops;
pub mod server;
pub mod training;
pub mod web;

mod atomic;
mod seed;
mod settings;
