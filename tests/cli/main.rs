//! The command line as scripts use it: the real program, its files, what it prints and how it ends.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod chat;
mod crash;
mod dataset;
mod encode;
mod model;
mod settings;
mod tokenize;
mod train;
mod trouble;
mod weft;
