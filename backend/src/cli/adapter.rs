//! `weft adapter`: show, merge and import LoRA adapters.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Subcommand;

use super::common::RewriteArgs;
use crate::lora::{self, Adapter, AdapterFile, ImportOptions, Layout};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What an adapter consists of.
    Show {
        /// A folder with `adapter_config.json`.
        #[arg(long, value_name = "DIR")]
        adapter: PathBuf,
    },
    /// Add an adapter's update to the model's weights and write the whole model.
    Merge {
        #[command(flatten)]
        model: RewriteArgs,
        /// A folder with `adapter_config.json`.
        #[arg(long, value_name = "DIR")]
        adapter: PathBuf,
    },
    /// Turn a state dict of LoRA weights (`chatglm-6b-lora.pt`) into an adapter in PEFT's form.
    Import {
        /// What `torch.save` wrote.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where the adapter goes.
        #[arg(long, value_name = "DIR")]
        output: PathBuf,
        /// The file does not hold alpha: what it was trained with.
        #[arg(long, default_value_t = ImportOptions::default().lora_alpha)]
        lora_alpha: f64,
        /// The file does not hold the dropout: what it was trained with.
        #[arg(long, default_value_t = ImportOptions::default().lora_dropout)]
        lora_dropout: f32,
        /// The model it was trained for: a hub id or a folder. It is written down and not opened.
        #[arg(long, value_name = "NAME", default_value = crate::hub::DEFAULT_REPO)]
        model: String,
    },
}

pub(super) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show { adapter } => {
            print!("{}", description(&adapter, &AdapterFile::read(&adapter)?));
            Ok(())
        }
        Command::Merge { model, adapter } => model.rewrite(Some(&adapter)),
        Command::Import { file, output, lora_alpha, lora_dropout, model } => {
            import(&file, &output, &ImportOptions { lora_alpha, lora_dropout }, &model)
        }
    }
}

/// What `weft adapter show` prints.
fn description(dir: &Path, file: &AdapterFile) -> String {
    let (config, options) = (&file.parts.config, file.parts.options());
    let weights = file.parts.weights();
    let scale = Adapter::new(options, weights.clone()).scale();
    let rule = if config.use_rslora { "alpha / sqrt(r)" } else { "alpha / r" };
    let layers = weights.keys().map(|place| place.0 + 1).max().unwrap_or(0);
    let parameters: usize = weights.values().map(|it| it.a.elem_count() + it.b.elem_count()).sum();
    let rows = weights.iter().map(|(&(layer, target), it)| {
        [target.module(layer), format!("{:?}", it.a.dims()), format!("{:?}", it.b.dims())]
    });
    let rows: Vec<_> =
        [["module", "lora_A", "lora_B"].map(str::to_owned)].into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let modules = rows.iter().map(|[module, a, b]| format!("{module:first$}  {a:second$}  {b}\n"));
    format!(
        "adapter         {}\nbase model      {}\nr               {}\nalpha           {}\nscale           {scale} \
         ({rule})\ndropout         {}\ntarget modules  {}\nlayers          {layers}\nparameters      {parameters}\n\n{}",
        dir.display(),
        config.base_model.as_deref().unwrap_or("not named"),
        config.r,
        config.alpha,
        config.dropout,
        config.target_modules,
        modules.collect::<String>(),
    )
}

fn import(file: &Path, output: &Path, options: &ImportOptions, model: &str) -> anyhow::Result<()> {
    let imported = lora::import(file, options)?;
    let adapter = imported.adapter;
    fs::create_dir_all(output).with_context(|| format!("cannot create {}", output.display()))?;
    adapter.save(output, Path::new(model))?;
    let ImportOptions { lora_alpha, lora_dropout } = options;
    tracing::info!(
        "{} holds neither alpha nor dropout: written are lora_alpha {lora_alpha} and lora_dropout {lora_dropout}",
        file.display()
    );
    if imported.layout == Layout::MergedLinear {
        tracing::info!(
            "its updates are of PEFT's MergedLinear of 2023, for the first and last third of query_key_value: \
             written as r {} and lora_alpha {}, which compute the same",
            adapter.options().r,
            adapter.options().alpha
        );
    }
    tracing::info!("the adapter is in {}", output.display());
    Ok(())
}
