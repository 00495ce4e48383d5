//! The command line as scripts use it: the real program, its files, what it prints and how it ends.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod bench;
mod chat;
mod crash;
mod dataset;
mod embedded;
mod encode;
mod estimate;
mod eval;
mod jobs;
mod model;
mod parallel;
mod replay;
mod serve;
mod server;
mod settings;
mod tokenize;
mod train;
mod trouble;
mod weft;
