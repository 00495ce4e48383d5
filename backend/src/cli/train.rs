//! `weft train`: pairs in, an adapter out.

pub(super) mod options;
mod report;

use std::{
    env, fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::ValueEnum;
use weft_shared::{
    manifest::{MANIFEST_FORM, Manifest, ManifestDataset, ManifestModel},
    training::Method,
};

use self::{options::OptionArgs, report::Report};
use super::common::{ComputeArgs, EncodingArgs, LoraArgs, ModelArgs, read_pairs};
use crate::{
    atomic,
    clock::now_ms,
    manifest,
    model_dir::ModelDir,
    parallel::{self, Alone, Communicator, World},
    training::{Checkpoint, GradientCheckpointing, Recipe, Run, Trainee},
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "OptionArgs", "LoraArgs", "EncodingArgs"])]
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

    /// On a GPU: compute each block again in the backward, which takes a third longer and far less memory; auto does when
    /// memory is short. The numbers of the run are the same.
    #[arg(long, value_enum, default_value = "auto")]
    gradient_checkpointing: CheckpointingArg,
    #[command(flatten)]
    compute: ComputeArgs,
    #[command(flatten)]
    lora: LoraArgs,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    encoding: EncodingArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CheckpointingArg {
    Auto,
    On,
    Off,
}

impl From<CheckpointingArg> for GradientCheckpointing {
    fn from(arg: CheckpointingArg) -> Self {
        match arg {
            CheckpointingArg::Auto => Self::Auto,
            CheckpointingArg::On => Self::On,
            CheckpointingArg::Off => Self::Off,
        }
    }
}

/// What a run is made of, and the model it is made with.
struct Plan {
    manifest: Manifest,
    set: TrainingSet,
    dir: ModelDir,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let Some(world) = World::from_variables(|name| env::var(name).ok())? else {
        return args.train(&Alone, 0);
    };
    let star = parallel::join(&world)?;
    if star.leads() {
        tracing::info!("{} processes train together", world.size);
    }
    let ended = args.train(&star, world.local_rank);
    if let Err(error) = &ended {
        star.fail(&format!("{error:#}"));
    }
    ended
}

impl Args {
    /// This process's part of the run, which is all of it for a process on its own.
    fn train(&self, processes: &dyn Communicator, local_rank: usize) -> anyhow::Result<()> {
        let Plan { manifest, set, dir } = self.plan(processes, local_rank)?;
        if processes.leads() {
            tell(&set, manifest.dataset.pairs.len());
        }
        let trainee = self.trainee(&manifest, &dir, processes, local_rank)?;
        if processes.leads() {
            tracing::info!("{} weights learn", trainee.trainable_parameters());
            write_manifest(&manifest, &self.output)?;
        }

        let run = Run {
            recipe: Recipe {
                options: &manifest.options,
                samples: &set.train.samples,
                rehearsal: &set.rehearsal,
                processes,
            },
            held_out: &set.held_out.samples,
            identity: &manifest::identity(&manifest),
            output: &self.output,
            resume: self.resume,
            save_every: None,
        };
        let mut report = processes.leads().then(Report::default);
        let summary = run.execute(&trainee, &mut |event| match &mut report {
            Some(report) => report.show(&event),
            None => ControlFlow::Continue(()),
        })?;
        if processes.leads() {
            let ended = if summary.finished { "finished" } else { "stopped" };
            let step = summary.state.global_step;
            tracing::info!("{ended} at step {step}: {}", self.output.display());
        }
        Ok(())
    }

    /// What the run is made of, which must be the same for all processes.
    fn plan(&self, processes: &dyn Communicator, local_rank: usize) -> anyhow::Result<Plan> {
        // A model that must be fetched is fetched by the first process of each machine.
        if local_rank > 0 {
            processes.barrier()?;
        }
        let plan = match &self.manifest {
            Some(file) => self.replayed(manifest::read(file)?)?,
            None => self.planned()?,
        };
        if local_rank == 0 {
            processes.barrier()?;
        }
        let identity = manifest::identity(&plan.manifest);
        let start = plan.manifest.start_from.as_ref().map_or("none", |adapter| &adapter.digest);
        processes.agree("version of the program", &identity.weft_version)?;
        processes.agree("model", &identity.model_fingerprint)?;
        processes.agree("dataset digest", &identity.dataset_digest)?;
        processes.agree("list of options", &serde_json::to_string(&identity.options)?)?;
        processes.agree("adapter to start from", start)?;
        Ok(plan)
    }

    /// A run as the options describe it.
    fn planned(&self) -> anyhow::Result<Plan> {
        let options = self.options.options(&self.lora);
        options.validate()?;
        let data = self.data.as_deref().context("--data is needed, or --manifest of a run")?;
        let model = self.model.clone().context("--model is needed, or --manifest of a run")?;
        let dir = ModelArgs { model: model.clone() }.open()?;
        let tokenizer = dir.tokenizer()?;

        let pairs = read_pairs(data)?;
        let (forms, encoding) = (self.options.prompt_forms(), self.encoding.options(dir.config()));
        let rehearsal = self.options.rehearsal(&model)?;
        let set = TrainingSet::encode(&pairs, &forms, &tokenizer, &encoding, &options)?
            .rehearsing(&rehearsal, &tokenizer, &encoding)?;
        let name = data.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut manifest = Manifest {
            manifest: MANIFEST_FORM,
            weft_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_ms: now_ms(),
            model: ManifestModel { name: model, fingerprint: dir.fingerprint()? },
            dataset: ManifestDataset { name, version: 0, digest: set.digest.to_string(), pairs },
            rehearsal,
            encoding,
            prompt_forms: forms,
            options,
            start_from: None,
        };
        if let Some(adapter) = &self.adapter {
            let name = adapter.to_string_lossy();
            manifest::start_from(&mut manifest, &name, adapter, dir.config())?;
        }
        Ok(Plan { manifest, set, dir })
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
        Ok(Plan { manifest, set, dir })
    }

    /// The model, with what learns in it.
    fn trainee(
        &self,
        manifest: &Manifest,
        dir: &ModelDir,
        processes: &dyn Communicator,
        local_rank: usize,
    ) -> anyhow::Result<Trainee> {
        let (device, format) = self.compute.open_for(local_rank)?;
        processes.compute_on(&device)?;
        if manifest.options.method == Method::Full {
            anyhow::ensure!(self.adapter.is_none(), "--adapter needs --method lora");
            let trainable = dir.load_trainable(format.dtype, &device)?;
            return Ok(Trainee::full(trainable, dir.path().to_owned()));
        }
        let start = self.adapter.as_deref();
        let adapter = manifest::first_adapter(manifest, start, dir.config(), &device)?;
        let model = dir.load(format, &device)?;
        let mut trainee = Trainee::lora(model, adapter, manifest.model.name.clone().into())?;
        trainee.gradient_checkpointing = self.gradient_checkpointing.into();
        Ok(trainee)
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
