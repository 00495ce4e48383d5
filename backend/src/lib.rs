//! Weft's native backend: model, trainer, chat, server and command line.
//!
//! In reading order, each layer above the ones it uses:
//!
//! - [`cli`], [`settings`]: the commands, and where their options come from
//! - [`server`], [`web`]: the page and what it asks for, over HTTP
//! - [`store`], [`data_dir`]: what the server remembers, and the folder it is in
//! - [`completions`]: chat as OpenAI's API means it
//! - [`jobs`]: training runs of a server, checked, queued, run and told of
//! - [`engine`]: the one loaded model, and whose turn it is
//! - [`manifest`]: a run as it is described, held to what is at hand
//! - [`training_set`]: pairs, encoded and split
//! - [`estimate`]: what a run will take, before it starts
//! - [`training`]: the loop, its data order, schedule, optimizer, checkpoints and log
//! - [`parallel`]: several processes that take a run's steps together
//! - [`evaluation`]: how many questions are answered as wanted
//! - [`chat`], [`generation`]: a conversation to a streamed answer
//! - [`lora`]: adapters in memory and in PEFT's files
//! - [`chatglm`]: the model
//! - [`ops`]: what the model is computed with
//! - [`checkpoint`], [`model_dir`], [`hub`]: published weights, from a folder or fetched; [`embedded`]: those in the
//!   program itself
//! - [`model_facts`]: what can be said of a model folder; [`new_model`]: one with random weights

pub mod bench;
pub mod chat;
pub mod chatglm;
pub mod checkpoint;
pub mod cli;
pub mod completions;
pub mod data_dir;
pub mod device;
pub mod embedded;
pub mod engine;
pub mod estimate;
pub mod evaluation;
pub mod generation;
pub mod hub;
pub mod jobs;
pub mod lora;
pub mod manifest;
pub mod model_dir;
pub mod model_facts;
pub mod new_model;
pub mod ops;
pub mod parallel;
pub mod server;
pub mod store;
pub mod training;
pub mod training_set;
pub mod web;

mod atomic;
mod causes;
mod clock;
mod seed;
mod settings;
