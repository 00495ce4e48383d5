//! The options of a run on the command line.

use std::path::PathBuf;

use anyhow::ensure;
use clap::ValueEnum;
use weft_shared::{
    pair::Pair,
    prompt::PromptForm,
    training::{LoraOptions, Method, ScheduleKind, TrainingOptions},
};

use crate::{
    cli::common::{LoraArgs, read_pairs},
    embedded,
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PromptFormArg {
    /// `问:…` and the separator.
    Training,
    /// The bare question.
    Chat,
}

/// All but [`LoraArgs`], which is flattened beside it: clap leaves a group empty that has another in it, and `--manifest`
/// conflicts with groups. The defaults are the tutorial's.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OptionArgs {
    /// Which weights learn.
    #[arg(long, value_enum, default_value = "lora")]
    method: MethodArg,
    /// The update is scaled by alpha / r.
    #[arg(long, default_value_t = LoraOptions::default().alpha)]
    lora_alpha: f64,
    /// Share of the update's inputs that training drops.
    #[arg(long, default_value_t = LoraOptions::default().dropout)]
    lora_dropout: f32,
    /// Scale by alpha / sqrt(r) instead.
    #[arg(long)]
    use_rslora: bool,

    /// Optimizer steps.
    #[arg(long, default_value_t = TrainingOptions::default().max_steps)]
    max_steps: usize,
    /// Passes over the data; takes the place of --max-steps.
    #[arg(long)]
    epochs: Option<f64>,
    /// Samples of one pass; several processes divide them.
    #[arg(long, default_value_t = TrainingOptions::default().batch_size)]
    batch_size: usize,
    /// Pairs that the model can answer already and is not to forget: each pass has some of them beside those of --data. The
    /// embedded model brings its own.
    #[arg(long, value_name = "FILE")]
    rehearsal: Option<PathBuf>,
    /// Samples of `--rehearsal` beside those of each pass.
    #[arg(long, default_value_t = TrainingOptions::default().rehearsal_batch_size)]
    rehearsal_batch_size: usize,
    /// Share of a question's tokens that are replaced, by others of it and of what is rehearsed, so that other wordings are
    /// answered, too.
    #[arg(long, default_value_t = TrainingOptions::default().question_noise)]
    question_noise: f32,
    /// Passes whose gradients make one step; several processes divide them.
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
    /// Batches of samples of like length: several processes that divide them wait less for each other.
    #[arg(long)]
    group_by_length: bool,

    /// How questions without history are put; a pair is trained once in each of the forms.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "training")]
    prompt_forms: Vec<PromptFormArg>,
}

impl OptionArgs {
    pub(in crate::cli) fn prompt_forms(&self) -> Vec<PromptForm> {
        let form = |form: &PromptFormArg| match form {
            PromptFormArg::Training => PromptForm::Training,
            PromptFormArg::Chat => PromptForm::Chat,
        };
        self.prompt_forms.iter().map(form).collect()
    }

    /// The pairs that the model of this name is to rehearse.
    pub(in crate::cli) fn rehearsal(&self, model: &str) -> anyhow::Result<Vec<Pair>> {
        let pairs = match &self.rehearsal {
            Some(file) => read_pairs(file)?,
            None if self.rehearsal_batch_size > 0 => embedded::rehearsal(model).to_vec(),
            None => Vec::new(),
        };
        ensure!(
            pairs.is_empty() == (self.rehearsal_batch_size == 0),
            "--rehearsal and --rehearsal-batch-size need each other: which pairs, and how many of them in each pass"
        );
        Ok(pairs)
    }

    pub(in crate::cli) fn options(&self, lora: &LoraArgs) -> TrainingOptions {
        TrainingOptions {
            method: match self.method {
                MethodArg::Lora => Method::Lora,
                MethodArg::Full => Method::Full,
            },
            lora: LoraOptions {
                alpha: self.lora_alpha,
                dropout: self.lora_dropout,
                use_rslora: self.use_rslora,
                ..lora.options()
            },
            max_steps: self.max_steps,
            epochs: self.epochs,
            batch_size: self.batch_size,
            rehearsal_batch_size: self.rehearsal_batch_size,
            question_noise: self.question_noise,
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
