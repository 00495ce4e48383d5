//! `weft model`: what a model consists of, and fetching one.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use weft_shared::training::LoraOptions;

use super::common::{DTypeArg, ModelArgs};
use crate::{
    hub,
    lora::{self, Adapter, Target},
    model_dir::ModelDir,
    model_facts::ModelFacts,
    new_model,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Modules, parameter counts, special ids, vocabulary and weights; `config.json` alone is enough.
    Show {
        /// A model folder, or a hub id or `embedded`.
        #[arg(long, value_name = "DIR|ID")]
        model: String,
        /// Rank of the adapter to count with.
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=65_536))]
        lora_r: u32,
        /// Linear layers of a block that the adapter would update, or all-linear.
        #[arg(long, value_delimiter = ',', default_values_t = LoraOptions::default().target_modules)]
        target_modules: Vec<String>,
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
        model: ModelArgs,
        /// Where the model goes; must not exist.
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        /// What the weights are kept in.
        #[arg(long, value_enum, default_value = "f16")]
        dtype: DTypeArg,
    },
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Show { model, lora_r, target_modules, json } => {
            let targets = Target::from_names(&target_modules)?;
            let dir = hub::resolve(&model)
                .map_err(anyhow::Error::from)
                .and_then(|folder| Ok(ModelDir::open(&folder)?))
                .with_context(|| format!("cannot show the model in {model}"))?;
            let facts = ModelFacts::of(&dir, lora_r as usize, &targets);
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
        Command::Convert { model, output, dtype } => {
            let model = model.open()?;
            let nothing = Adapter::new(LoraOptions::default(), BTreeMap::new());
            lora::merge(model.path(), model.config(), &nothing, dtype.into(), &output)?;
            Ok(())
        }
    }
}
