//! `weft train`: pairs in, an adapter out.

use std::{ops::ControlFlow, path::PathBuf};

use candle_core::{DType, Device};
use clap::ValueEnum;
use weft_shared::{
    sample::Sample,
    training::{LoraOptions, Method, ScheduleKind, TrainingOptions},
};

use super::common::{EncodingArgs, ModelArgs, read_pairs};
use crate::{
    lora::{Adapter, Target},
    model_dir::ModelDir,
    training::{Event, LogEntry, Recipe, Run, RunIdentity, Trainee, split_held_out},
};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MethodArg {
    /// Low-rank adapters beside frozen weights.
    Lora,
    /// Every weight of the model.
    Full,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScheduleArg {
    Linear,
    Cosine,
    Constant,
}

/// The options' defaults are the tutorial's.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Pairs to train on, in any form that `weft dataset` reads.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Where checkpoints, log and the finished adapter go.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Go on from the newest checkpoint in the output folder.
    #[arg(long)]
    resume: bool,
    /// Start from this adapter's weights instead of fresh ones.
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,

    /// Which weights learn.
    #[arg(long, value_enum, default_value = "lora")]
    method: MethodArg,
    /// Rank of the low-rank update.
    #[arg(long, visible_alias = "rank", default_value_t = LoraOptions::default().r)]
    lora_r: usize,
    /// The update is scaled by alpha / r.
    #[arg(long, default_value_t = LoraOptions::default().alpha)]
    lora_alpha: f64,
    /// Share of the update's inputs that training drops.
    #[arg(long, default_value_t = LoraOptions::default().dropout)]
    lora_dropout: f32,
    /// Linear layers that get an update: `query_key_value`, `dense`, `dense_h_to_4h`, `dense_4h_to_h`, all-linear.
    #[arg(long, value_delimiter = ',', default_values_t = LoraOptions::default().target_modules)]
    target_modules: Vec<String>,
    /// Scale by alpha / sqrt(r) instead.
    #[arg(long)]
    use_rslora: bool,

    /// Optimizer steps.
    #[arg(long, default_value_t = TrainingOptions::default().max_steps)]
    max_steps: usize,
    /// Passes over the data; takes the place of --max-steps.
    #[arg(long)]
    epochs: Option<f64>,
    /// Samples of one pass.
    #[arg(long, default_value_t = TrainingOptions::default().batch_size)]
    batch_size: usize,
    /// Passes whose gradients make one step.
    #[arg(long, default_value_t = TrainingOptions::default().gradient_accumulation_steps)]
    gradient_accumulation_steps: usize,
    #[arg(long, default_value_t = TrainingOptions::default().learning_rate)]
    learning_rate: f64,
    /// How the learning rate goes on after the warm-up.
    #[arg(long, value_enum, default_value = "linear")]
    schedule: ScheduleArg,
    /// Steps over which the learning rate rises from zero.
    #[arg(long, default_value_t = TrainingOptions::default().warmup_steps)]
    warmup_steps: usize,
    #[arg(long, default_value_t = TrainingOptions::default().weight_decay)]
    weight_decay: f64,
    /// Gradients are clipped to this norm; 0 leaves them.
    #[arg(long, default_value_t = TrainingOptions::default().max_grad_norm)]
    max_grad_norm: f64,
    /// A line of the log every so many steps.
    #[arg(long, default_value_t = TrainingOptions::default().logging_steps)]
    logging_steps: usize,
    /// A checkpoint every so many steps.
    #[arg(long, default_value_t = TrainingOptions::default().save_steps)]
    save_steps: usize,
    /// Checkpoints that are kept; 0 keeps all.
    #[arg(long, default_value_t = TrainingOptions::default().save_total_limit)]
    save_total_limit: usize,
    /// Evaluation every so many steps; 0: at checkpoints.
    #[arg(long, default_value_t = TrainingOptions::default().eval_steps)]
    eval_steps: usize,
    /// Share of the pairs that is held out for evaluation.
    #[arg(long, default_value_t = TrainingOptions::default().eval_share)]
    eval_share: f64,
    /// Decides first weights and dropout.
    #[arg(long, default_value_t = TrainingOptions::default().seed)]
    seed: u64,
    /// Decides the order of the samples and the held-out part.
    #[arg(long, default_value_t = TrainingOptions::default().data_seed)]
    data_seed: u64,
    /// Batches of samples of like length.
    #[arg(long)]
    group_by_length: bool,

    #[command(flatten)]
    encoding: EncodingArgs,
}

impl Args {
    fn options(&self) -> TrainingOptions {
        TrainingOptions {
            method: match self.method {
                MethodArg::Lora => Method::Lora,
                MethodArg::Full => Method::Full,
            },
            lora: LoraOptions {
                r: self.lora_r,
                alpha: self.lora_alpha,
                dropout: self.lora_dropout,
                target_modules: self.target_modules.clone(),
                use_rslora: self.use_rslora,
            },
            max_steps: self.max_steps,
            epochs: self.epochs,
            batch_size: self.batch_size,
            gradient_accumulation_steps: self.gradient_accumulation_steps,
            learning_rate: self.learning_rate,
            schedule: match self.schedule {
                ScheduleArg::Linear => ScheduleKind::Linear,
                ScheduleArg::Cosine => ScheduleKind::Cosine,
                ScheduleArg::Constant => ScheduleKind::Constant,
            },
            warmup_steps: self.warmup_steps,
            weight_decay: self.weight_decay,
            max_grad_norm: self.max_grad_norm,
            logging_steps: self.logging_steps,
            save_steps: self.save_steps,
            save_total_limit: self.save_total_limit,
            eval_steps: self.eval_steps,
            eval_share: self.eval_share,
            seed: self.seed,
            data_seed: self.data_seed,
            group_by_length: self.group_by_length,
        }
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let mut options = args.options();
    options.validate()?;
    let dir = args.model.open()?;
    let tokenizer = dir.tokenizer()?;

    let pairs = read_pairs(&args.data)?;
    let dataset = args.encoding.encode(&pairs, &tokenizer, dir.config())?;
    let (train, held_out) =
        split_held_out(dataset.samples.len(), options.eval_share, options.data_seed);
    let pick = |part: Vec<usize>| -> Vec<Sample> {
        part.into_iter().map(|index| dataset.samples[index].clone()).collect()
    };
    let (samples, held_out) = (pick(train), pick(held_out));
    tracing::info!(
        "{} samples to train on, {} held out, dataset digest {}",
        samples.len(),
        held_out.len(),
        dataset.digest
    );

    let trainee = args.trainee(&options, &dir)?;
    if let Some(adapter) = &trainee.adapter {
        options.lora = adapter.options().clone();
    }
    tracing::info!("{} weights learn", trainee.trainable_parameters());
    let identity = RunIdentity {
        options: options.clone(),
        dataset_digest: dataset.digest.to_string(),
        model_fingerprint: dir.fingerprint()?,
        weft_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let pad_id = tokenizer.special_ids().pad;
    let run = Run {
        recipe: Recipe { options: &options, samples: &samples, pad_id },
        held_out: &held_out,
        identity: &identity,
        output: &args.output,
        resume: args.resume,
    };
    let mut report = Report::default();
    let summary = run.execute(&trainee, &mut |event| report.show(&event))?;
    let ended = if summary.finished { "finished" } else { "stopped" };
    tracing::info!("{ended} at step {}: {}", summary.state.global_step, args.output.display());
    Ok(())
}

impl Args {
    /// The model, with what learns in it.
    fn trainee(&self, options: &TrainingOptions, dir: &ModelDir) -> anyhow::Result<Trainee> {
        let device = Device::Cpu;
        if options.method == Method::Full {
            anyhow::ensure!(self.adapter.is_none(), "--adapter needs --method lora");
            let (model, parameters) = dir.load_trainable(&device)?;
            return Ok(Trainee::full(model, parameters, dir.path().to_owned()));
        }
        let model = dir.load(DType::F32, &device)?;
        let adapter = if let Some(from) = &self.adapter {
            Adapter::read(from, model.config(), &device)?
        } else {
            let lora = options.lora.clone();
            let targets = Target::from_names(&lora.target_modules)?;
            Adapter::initialize(lora, &targets, model.config(), options.seed, &device)?
        };
        Ok(Trainee::lora(model, adapter, self.model.model.clone().into())?)
    }
}

/// Shows a run on the terminal.
#[derive(Default)]
struct Report {
    tokens_per_second: f64,
    total_steps: usize,
}

impl Report {
    fn show(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Started { first_step, total_steps } => {
                self.total_steps = *total_steps;
                tracing::info!("steps {} to {total_steps}", first_step + 1);
            }
            Event::Step { tokens_per_second, .. } => self.tokens_per_second = *tokens_per_second,
            Event::Logged(entry) => self.show_entry(entry),
            Event::Saved(checkpoint) => tracing::info!("saved {}", checkpoint.path.display()),
        }
        ControlFlow::Continue(())
    }

    fn show_entry(&self, entry: &LogEntry) {
        let total = self.total_steps;
        match entry {
            LogEntry::Train { epoch, step, loss, grad_norm, learning_rate } => tracing::info!(
                "step {step}/{total}  epoch {epoch:.2}  loss {loss:.4}  gradient norm {grad_norm:.3}  learning rate \
                 {learning_rate:.2e}  {:.0} tokens/s",
                self.tokens_per_second
            ),
            LogEntry::Eval { step, eval_loss, .. } => {
                tracing::info!("step {step}/{total}  evaluation loss {eval_loss:.4}");
            }
            LogEntry::Summary { train_loss, train_runtime, .. } => {
                tracing::info!("mean loss {train_loss:.4} in {train_runtime:.1} s");
            }
        }
    }
}
