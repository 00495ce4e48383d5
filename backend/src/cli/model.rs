//! `weft model`: what a model consists of, and fetching one.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::Subcommand;

use super::common::{LoraArgs, ModelArgs, RewriteArgs};
use crate::{hub, lora::Target, model_facts::ModelFacts, new_model};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Modules, parameter counts, special ids, vocabulary and weights; `config.json` alone is enough.
    Show {
        #[command(flatten)]
        model: ModelArgs,
        /// The adapter to count with.
        #[command(flatten)]
        lora: LoraArgs,
        /// Print one JSON object instead.
        #[arg(long)]
        json: bool,
    },
    /// Fetch a model into the cache and print its folder.
    Fetch {
        /// A hub id.
        #[arg(value_name = "ID", default_value = hub::DEFAULT_REPO)]
        model: String,
        /// A commit, branch or tag of it.
        #[arg(long, default_value = hub::DEFAULT_REVISION)]
        revision: String,
    },
    /// Make a model with random weights, to be trained from nothing.
    New {
        /// Its `config.json`.
        #[arg(long = "model-config", value_name = "FILE")]
        model_config: PathBuf,
        /// Its vocabulary.
        #[arg(long, value_name = "FILE")]
        vocabulary: PathBuf,
        /// Where it goes; must not exist.
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Standard deviation of the matrices.
        #[arg(long, default_value_t = new_model::DEFAULT_STD)]
        std: f32,
    },
    /// Write a model's weights anew as safetensors.
    Convert {
        #[command(flatten)]
        model: RewriteArgs,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show { model, lora, json } => {
            let lora = lora.options();
            let targets = Target::from_names(&lora.target_modules)?;
            let facts = ModelFacts::of(&model.open()?, lora.r, &targets);
            if json {
                println!("{}", serde_json::to_string_pretty(&facts)?);
            } else {
                print!("{facts}");
            }
            Ok(())
        }
        Command::Fetch { model, revision } => {
            let mut tell = |progress: &hub::Progress| {
                if progress.done_bytes >= progress.total_bytes {
                    tracing::info!("fetched {}", progress.file);
                }
            };
            let folder = hub::fetch(&model, &revision, &mut tell)?;
            println!("{}", folder.display());
            Ok(())
        }
        Command::New { model_config, vocabulary, output, seed, std } => {
            let read = |file: &PathBuf| {
                fs::read(file).with_context(|| format!("cannot read {}", file.display()))
            };
            new_model::write(&read(&model_config)?, &read(&vocabulary)?, seed, std, &output)?;
            Ok(())
        }
        Command::Convert { model } => model.rewrite(None),
    }
}
