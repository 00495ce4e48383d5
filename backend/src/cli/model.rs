//! `weft model`: what a model consists of, and fetching one.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use weft_shared::training::LoraOptions;

use crate::{hub, lora::Target, model_dir::ModelDir, model_facts::ModelFacts};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Modules, parameter counts, special ids, vocabulary and weights; `config.json` alone is enough.
    Show {
        /// A model folder.
        #[arg(long, value_name = "DIR")]
        model: PathBuf,
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
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Show { model, lora_r, target_modules, json } => {
            let targets = Target::from_names(&target_modules)?;
            let dir = ModelDir::open(&model)
                .with_context(|| format!("cannot show the model in {}", model.display()))?;
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
    }
}
