//! The commands of `weft`, one file each.

mod adapter;
mod bench;
mod chat;
mod common;
mod dataset;
mod encode;
mod estimate;
mod eval;
mod lines;
mod model;
mod sampling;
mod serve;
mod shape;
mod tokenize;
mod train;

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::settings;

/// LoRA fine-tuning and chat for ChatGLM-6B.
///
/// Every option can also be set in a TOML file (`weft.toml`, or what --config names) and by a variable of its name
/// (`WEFT_LEARNING_RATE` for --learning-rate). The command line wins over the environment, the environment over
/// the file.
#[derive(Debug, Parser)]
#[command(name = "weft", version)]
struct Cli {
    /// Read options from this TOML file instead of `weft.toml`.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a LoRA adapter, or every weight, on question/answer pairs.
    Train(Box<train::Args>),
    /// Tell what a run will take in memory and time, before it starts.
    Estimate(Box<estimate::Args>),
    /// Talk to a model, with or without an adapter.
    Chat(chat::Args),
    /// Turn texts into token ids and back, one JSON object a line.
    Tokenize(tokenize::Args),
    /// Turn pairs into training samples, one JSON object a line.
    Encode(encode::Args),
    /// Convert, check and measure files of pairs.
    #[command(subcommand)]
    Dataset(dataset::Command),
    /// Show what a model consists of, or fetch one.
    #[command(subcommand)]
    Model(model::Command),
    /// Show, merge and import LoRA adapters.
    #[command(subcommand)]
    Adapter(adapter::Command),
    /// Count the questions that are answered as wanted, without and with an adapter.
    ///
    /// Every question is answered greedily; an answer is right when it is the pair's, but for case, width, white
    /// space and the punctuation at its end. Printed is a line for each family, which are the tags of the pairs, and
    /// one for all: right answers of those asked, their share, and between what the share lies with 95 % confidence.
    Eval(eval::Args),
    /// Measure training and decoding speed.
    Bench(bench::Args),
    /// Serve the page.
    Serve(serve::Args),
}

/// The whole program: logs to the error stream (`WEFT_LOG` filters), runs, tells what went wrong.
pub fn main() -> ExitCode {
    let filter =
        EnvFilter::try_from_env("WEFT_LOG").unwrap_or_else(|_| EnvFilter::new("weft=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .without_time()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    match run(env::args_os().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command line `args`, the program's name first.
fn run(args: Vec<OsString>) -> anyhow::Result<()> {
    let matches = settings::matches(Cli::command(), args)?;
    match Cli::from_arg_matches(&matches)?.command {
        Command::Train(args) => train::run(*args),
        Command::Estimate(args) => estimate::run(*args),
        Command::Chat(args) => chat::run(args),
        Command::Tokenize(args) => tokenize::run(args),
        Command::Encode(args) => encode::run(args),
        Command::Dataset(command) => dataset::run(command),
        Command::Model(command) => model::run(command),
        Command::Adapter(command) => adapter::run(command),
        Command::Eval(args) => eval::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Serve(args) => serve::run(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
