//! `weft train`: pairs in, an adapter out.

pub(super) mod options;
mod report;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use weft_shared::{
    manifest::{MANIFEST_FORM, Manifest, ManifestDataset, ManifestModel},
    tokenizer::ChatGlmTokenizer,
    training::Method,
};

use self::{options::OptionArgs, report::Report};
use super::common::{ComputeArgs, EncodingArgs, ModelArgs, read_pairs};
use crate::{
    atomic,
    clock::now_ms,
    manifest,
    model_dir::ModelDir,
    training::{Checkpoint, Recipe, Run, Trainee},
    training_set::TrainingSet,
};

/// In the output folder: what `--manifest` reads.
const MANIFEST: &str = "manifest.json";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A model folder, or a hub id such as THUDM/chatglm-6b; unless given, the manifest's.
    #[arg(long, value_name = "DIR|ID")]
    model: Option<String>,
    /// Pairs to train on, in any form that `weft dataset` reads.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Make the run of this manifest again: its pairs, encoding and options. A settings file's are not asked.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "OptionArgs", "EncodingArgs"])]
    manifest: Option<PathBuf>,
    /// Where checkpoints, log, manifest and the finished adapter go.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Go on from the newest checkpoint in the output folder.
    #[arg(long)]
    resume: bool,
    /// Start from this adapter's weights instead of fresh ones.
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,

    #[command(flatten)]
    compute: ComputeArgs,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    encoding: EncodingArgs,
}

/// What a run is made of, and the model it is made with.
struct Plan {
    manifest: Manifest,
    set: TrainingSet,
    dir: ModelDir,
    tokenizer: ChatGlmTokenizer,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let Plan { manifest, set, dir, tokenizer } = match &args.manifest {
        Some(file) => args.replayed(manifest::read(file)?)?,
        None => args.planned()?,
    };
    tell(&set, manifest.dataset.pairs.len());

    let trainee = args.trainee(&manifest, &dir)?;
    tracing::info!("{} weights learn", trainee.trainable_parameters());
    let run = Run {
        recipe: Recipe {
            options: &manifest.options,
            samples: &set.train.samples,
            pad_id: tokenizer.special_ids().pad,
        },
        held_out: &set.held_out.samples,
        identity: &manifest::identity(&manifest),
        output: &args.output,
        resume: args.resume,
        save_every: None,
    };
    write_manifest(&manifest, &args.output)?;
    let mut report = Report::default();
    let summary = run.execute(&trainee, &mut |event| report.show(&event))?;
    let ended = if summary.finished { "finished" } else { "stopped" };
    tracing::info!("{ended} at step {}: {}", summary.state.global_step, args.output.display());
    Ok(())
}

impl Args {
    /// A run as the options describe it.
    fn planned(&self) -> anyhow::Result<Plan> {
        let options = self.options.options();
        options.validate()?;
        let data = self.data.as_deref().context("--data is needed, or --manifest of a run")?;
        let model = self.model.clone().context("--model is needed, or --manifest of a run")?;
        let dir = ModelArgs { model: model.clone() }.open()?;
        let tokenizer = dir.tokenizer()?;

        let pairs = read_pairs(data)?;
        let (forms, encoding) = (self.options.prompt_forms(), self.encoding.options(dir.config()));
        let set = TrainingSet::encode(&pairs, &forms, &tokenizer, &encoding, &options)?;
        let name = data.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut manifest = Manifest {
            manifest: MANIFEST_FORM,
            weft_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_ms: now_ms(),
            model: ManifestModel { name: model, fingerprint: dir.fingerprint()? },
            dataset: ManifestDataset { name, version: 0, digest: set.digest.to_string(), pairs },
            encoding,
            prompt_forms: forms,
            options,
            start_from: None,
        };
        if let Some(adapter) = &self.adapter {
            let name = adapter.to_string_lossy();
            manifest::start_from(&mut manifest, &name, adapter, dir.config())?;
        }
        Ok(Plan { manifest, set, dir, tokenizer })
    }

    /// The manifest's run, made by this program and now.
    fn replayed(&self, manifest: Manifest) -> anyhow::Result<Plan> {
        manifest.options.validate()?;
        let model = self.model.clone().unwrap_or_else(|| manifest.model.name.clone());
        let dir = ModelArgs { model: model.clone() }.open()?;
        let tokenizer = dir.tokenizer()?;
        let set = manifest::training_set(&manifest, &dir.fingerprint()?, &tokenizer)?;
        let manifest = Manifest {
            weft_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_ms: now_ms(),
            model: ManifestModel { name: model, ..manifest.model },
            ..manifest
        };
        Ok(Plan { manifest, set, dir, tokenizer })
    }

    /// The model, with what learns in it.
    fn trainee(&self, manifest: &Manifest, dir: &ModelDir) -> anyhow::Result<Trainee> {
        let (device, dtype) = self.compute.open()?;
        if manifest.options.method == Method::Full {
            anyhow::ensure!(self.adapter.is_none(), "--adapter needs --method lora");
            let (model, parameters) = dir.load_trainable(&device)?;
            return Ok(Trainee::full(model, parameters, dir.path().to_owned()));
        }
        let start = self.adapter.as_deref();
        let adapter = manifest::first_adapter(manifest, start, dir.config(), &device)?;
        let model = dir.load(dtype, &device)?;
        Ok(Trainee::lora(model, adapter, manifest.model.name.clone().into())?)
    }
}

/// How many pairs are used, and which are not.
fn tell(set: &TrainingSet, pairs: usize) {
    for (index, error) in &set.left_out {
        tracing::warn!("pair {} is left out: {error}", index + 1);
    }
    let cut = set.cut.len();
    if cut > 0 {
        tracing::warn!("{cut} of {pairs} pairs are cut; `weft dataset check` names them");
    }
    let (samples, held_out) = (set.train.samples.len(), set.held_out.samples.len());
    tracing::info!(
        "{samples} samples to train on, {held_out} held out, dataset digest {}",
        set.digest
    );
}

/// A folder with checkpoints has its manifest already, or is refused.
fn write_manifest(manifest: &Manifest, output: &Path) -> anyhow::Result<()> {
    let unusable = || format!("cannot use the output folder {}", output.display());
    fs::create_dir_all(output).with_context(unusable)?;
    if Checkpoint::list(output)?.is_empty() {
        let json = serde_json::to_vec_pretty(manifest)?;
        atomic::write_file(&output.join(MANIFEST), &json)?;
    }
    Ok(())
}
