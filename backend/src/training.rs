//! The training loop, read from top to bottom. It knows no file, no clock and no screen: an observer does.

mod batch;
mod checkpoint;
mod data_order;
mod evaluate;
mod gradient_checkpointing;
mod optimizer;
mod question_noise;
mod run;
mod schedule;
mod share;
mod step;
mod trainee;
mod trainer_state;

use std::ops::ControlFlow;

use candle_core::Device;
use weft_shared::{
    bytes::Bytes,
    sample::{BatchError, Sample},
    training::{InvalidOption, TrainingOptions},
};

use crate::{
    device::memory,
    ops::{self, Submissions},
    parallel::{Communicator, ParallelError},
};
use data_order::Batches;

pub use batch::TrainingBatch;
pub use checkpoint::{Checkpoint, CheckpointError, RunIdentity};
pub use data_order::split_held_out;
pub use evaluate::evaluate;
pub use gradient_checkpointing::GradientCheckpointing;
pub use optimizer::AdamW;
pub use run::{Event, Run, RunError, RunSummary};
pub use schedule::Schedule;
pub use step::Step;
pub use trainee::Trainee;
pub use trainer_state::{LogEntry, TrainerState};

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

/// Who sees the steps of a run.
pub trait Observer {
    type Error: From<TrainingError>;

    /// Whether trainee and optimizer are wanted as the step numbered `number` leaves them. A GPU then waits after it.
    fn needs_state_after(&self, number: usize) -> bool;

    /// Called after each step, in their order. With `optimizer`, the weights are as that step left them; else the device may
    /// be at the next. The last step is seen with it: that of the run, or the one that is done after somebody said stop.
    fn after_step(
        &mut self,
        step: Step,
        optimizer: Option<&AdamW>,
    ) -> Result<ControlFlow<()>, Self::Error>;
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
    #[error(
        "step {step} does not fit the memory of the device, of which it could have {}: lower batch_size or the limits \
         of length, or keep the model in int8 or int4",
        Bytes(*free)
    )]
    OutOfMemory {
        step: usize,
        free: u64,
        #[source]
        source: candle_core::Error,
    },
    #[error("the model could not be computed")]
    Compute(#[from] candle_core::Error),
}

impl TrainingError {
    /// The same of the step numbered `step`, which says so where it is the device's memory that is not enough.
    fn of_step(self, step: usize, device: &Device) -> Self {
        match self {
            Self::Compute(source) if ops::memory::is_exhausted(&source) => {
                // What the step had is given back by then.
                let _ = device.synchronize();
                Self::OutOfMemory { step, free: memory::available(device), source }
            }
            error => error,
        }
    }
}

/// Optimizer steps of a run over `samples` training samples.
pub fn total_steps(options: &TrainingOptions, samples: usize) -> usize {
    let Some(epochs) = options.epochs else { return options.max_steps };
    let batches = samples.div_ceil(options.batch_size) as f64;
    #[expect(clippy::cast_sign_loss, reason = "epochs are validated to be positive")]
    let steps = (epochs * batches / options.gradient_accumulation_steps as f64).ceil() as usize;
    steps.max(1)
}

/// Takes steps `first_step..` until the last one, or until `observer` says stop.
///
/// A GPU is given the next step before anybody looks at the one before, so that it never waits for the host. What depends on
/// a step's gradients, such as its being left out, is decided where they are.
pub fn train<O: Observer>(
    trainee: &Trainee,
    optimizer: &mut AdamW,
    recipe: &Recipe,
    first_step: usize,
    observer: &mut O,
) -> Result<(), O::Error> {
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
    let mut submissions = Submissions::new(trainee.model.device());
    let mut before = None;

    trainee.round_copies().map_err(TrainingError::from)?;
    for number in first_step..last_step {
        let learning_rate = schedule.learning_rate(number);
        let given = (number, learning_rate);
        let submitted = submissions
            .submit(|| step::give(trainee, optimizer, recipe, &mut batches, given))
            .map_err(|error| error.of_step(number, trainee.model.device()));

        let mut flow = ControlFlow::Continue(());
        if let Some((work, told)) = before.take() {
            let step = step::finished(&mut submissions, work, told)?;
            flow = observer.after_step(step, None)?;
        }
        let (work, told) = submitted?;
        let is_last = number + 1 == last_step;
        let is_seen = work.is_done() || is_last || flow.is_break();
        if is_seen || observer.needs_state_after(number) {
            let step = step::finished(&mut submissions, work, told)?;
            let then = observer.after_step(step, Some(optimizer))?;
            if flow.is_break() || then.is_break() {
                break;
            }
        } else {
            before = Some((work, told));
        }
    }
    Ok(())
}
