//! The training loop, read from top to bottom. It knows no file, no clock and no screen: an observer does.

mod batch;
mod checkpoint;
mod data_order;
mod evaluate;
mod gradient_checkpointing;
mod loss_scale;
mod optimizer;
mod question_noise;
mod run;
mod schedule;
mod share;
mod trainee;
mod trainer_state;

use std::ops::ControlFlow;

use candle_core::Tensor;
use weft_shared::{
    sample::{BatchError, Sample},
    training::{InvalidOption, TrainingOptions},
};

use crate::parallel::{Communicator, ParallelError};
use data_order::Batches;
use share::Share;

pub use batch::TrainingBatch;
pub use checkpoint::{Checkpoint, CheckpointError, RunIdentity};
pub use data_order::split_held_out;
pub use evaluate::evaluate;
pub use gradient_checkpointing::GradientCheckpointing;
pub use loss_scale::LossScale;
pub use optimizer::{AdamW, clip_coefficient};
pub use run::{Event, Run, RunError, RunSummary};
pub use schedule::Schedule;
pub use trainee::Trainee;
pub use trainer_state::{LogEntry, TrainerState};

pub use crate::ops::gradient_norm;

/// What the numbers of a run depend on, apart from the trainee.
pub struct Recipe<'a> {
    pub options: &'a TrainingOptions,
    /// The training part; not empty.
    pub samples: &'a [Sample],
    /// What the model can do already, of which each batch has some; may be empty.
    pub rehearsal: &'a [Sample],
    /// Who takes the steps. They are the steps of one process but for rounding, and dropout where a batch is split.
    pub processes: &'a dyn Communicator,
}

/// What one optimizer step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Counted from 0.
    pub number: usize,
    /// Mean over the step's batches of their mean loss, in nats a label token.
    pub loss: f64,
    /// Norm of the gradients before clipping.
    pub grad_norm: f64,
    pub learning_rate: f64,
    /// Tokens computed.
    pub tokens: u64,
    pub samples: u64,
}

/// Why the loop ended early.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    #[error("loss {loss} and gradient norm {grad_norm} at step {step}: the run has diverged")]
    NotFinite { step: usize, loss: f64, grad_norm: f64 },
    #[error("training part is empty")]
    NoSamples,
    #[error(
        "a step has {samples} samples, and {processes} processes share it: raise batch_size or \
         gradient_accumulation_steps"
    )]
    TooManyProcesses { samples: usize, processes: usize },
    #[error(transparent)]
    Parallel(#[from] ParallelError),
    #[error("the samples make no batch")]
    Batch(#[source] BatchError),
    #[error(transparent)]
    Option(#[from] InvalidOption),
    #[error("the model could not be computed")]
    Compute(#[from] candle_core::Error),
}

/// Optimizer steps of a run over `samples` training samples.
pub fn total_steps(options: &TrainingOptions, samples: usize) -> usize {
    let Some(epochs) = options.epochs else { return options.max_steps };
    let batches = samples.div_ceil(options.batch_size) as f64;
    #[expect(clippy::cast_sign_loss, reason = "epochs are validated to be positive")]
    let steps = (epochs * batches / options.gradient_accumulation_steps as f64).ceil() as usize;
    steps.max(1)
}

/// Takes steps `first_step..` until the last one, or until `observe` says stop.
///
/// `observe` is called after each step, with trainee and optimizer as that step left them.
pub fn train<E: From<TrainingError>>(
    trainee: &Trainee,
    optimizer: &mut AdamW,
    recipe: &Recipe,
    first_step: usize,
    mut observe: impl FnMut(Step, &AdamW) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let options = recipe.options;
    options.validate().map_err(TrainingError::from)?;
    if recipe.samples.is_empty() {
        return Err(TrainingError::NoSamples.into());
    }
    let processes = recipe.processes.size();
    let samples = options.batch_size.saturating_mul(options.gradient_accumulation_steps);
    if samples < processes {
        return Err(TrainingError::TooManyProcesses { samples, processes }.into());
    }
    let last_step = total_steps(options, recipe.samples.len());
    let schedule = Schedule::new(options, last_step);
    let mut batches = Batches::new(recipe);

    trainee.round_copies().map_err(TrainingError::from)?;
    for number in first_step..last_step {
        let learning_rate = schedule.learning_rate(number);

        let scale = optimizer.loss_scale;
        let (gradients, mut step) = accumulate(trainee, recipe, &mut batches, number, scale)?;
        step.learning_rate = learning_rate;
        let Step { loss, grad_norm, .. } = step;
        let finite = loss.is_finite() && grad_norm.is_finite();
        let accepted = optimizer.loss_scale.accepts(grad_norm);
        if !finite && (accepted || !loss.is_finite() || optimizer.loss_scale.exhausted()) {
            return Err(TrainingError::NotFinite { step: number, loss, grad_norm }.into());
        }

        if accepted {
            let clip = clip_coefficient(grad_norm, options.max_grad_norm) / scale.factor();
            optimizer
                .update(&trainee.parameters, &gradients, learning_rate, clip)
                .and_then(|()| trainee.round_copies())
                .map_err(TrainingError::from)?;
        }

        if observe(step, optimizer)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Mean gradients over the batches of the step numbered `number`, times the factor of `scale`. Each process computes a
/// share of the samples.
fn accumulate(
    trainee: &Trainee,
    recipe: &Recipe,
    batches: &mut Batches,
    number: usize,
    scale: LossScale,
) -> Result<(Vec<Tensor>, Step), TrainingError> {
    let options = recipe.options;
    let passes = options.gradient_accumulation_steps;
    let mut step =
        Step { number, loss: 0.0, grad_norm: 0.0, learning_rate: 0.0, tokens: 0, samples: 0 };
    let mut sums: Option<Vec<Tensor>> = None;

    let first = (number * passes) as u64;
    for share in share::of_step(recipe, batches, first..first + passes as u64) {
        let Share { samples, dropout_seed, weight } = share;
        let batch = TrainingBatch::packed(&samples, trainee.model.device())?;

        let loss = share::weighted(trainee.loss(&batch, Some(dropout_seed))?, weight)?;
        let (loss, gradients) = trainee.backward(loss, scale)?;

        step.loss += f64::from(loss.to_scalar::<f32>()?) / passes as f64;
        step.tokens += batch.tokens() as u64;
        step.samples += samples.len() as u64;
        sums = Some(match sums {
            None => gradients,
            Some(sums) => {
                sums.iter().zip(&gradients).map(|(a, b)| a + b).collect::<Result<_, _>>()?
            }
        });
    }

    let mut gradients = match sums {
        Some(sums) => sums,
        None => trainee.no_gradients()?,
    };
    if passes > 1 {
        let share = 1.0 / passes as f64;
        gradients = gradients.iter().map(|sum| sum * share).collect::<Result<_, _>>()?;
    }
    let gradients = share::summed(recipe.processes, gradients, &mut step)?;
    step.grad_norm = gradient_norm(&gradients)? / scale.factor();
    Ok((gradients, step))
}
