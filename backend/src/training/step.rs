//! One step: from its samples to an update of the weights, as a device is given it; and what it ended with.

use candle_core::{DType, Device, Result, Tensor};

use super::{
    AdamW, Batches, Recipe, Trainee, TrainingBatch, TrainingError,
    share::{self, Parts, Share},
};
use crate::ops::{Outcome, Progress, Submissions, Submitted};

/// What one optimizer step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Counted from 0.
    pub number: usize,
    /// Mean over the step's batches of their mean loss, in nats a label token.
    pub loss: f64,
    /// What the optimizer had come to after it.
    pub progress: Progress,
    pub learning_rate: f64,
    /// Tokens computed.
    pub tokens: u64,
    pub samples: u64,
    /// For how long the device computed it.
    pub seconds: f64,
}

/// What is known of a step before a device has computed it.
pub(super) struct Given {
    number: usize,
    learning_rate: f64,
    tokens: u64,
    samples: u64,
}

/// Puts the step `number` on the device, with its update. Ends with the loss and the optimizer's state.
pub(super) fn give(
    trainee: &Trainee,
    optimizer: &mut AdamW,
    recipe: &Recipe,
    batches: &mut Batches,
    (number, learning_rate): (usize, f64),
) -> std::result::Result<(Vec<Tensor>, Given), TrainingError> {
    let parts = accumulate(trainee, optimizer, recipe, batches, number)?;
    let Parts { loss, gradients, tokens, samples } = parts.summed(recipe.processes)?;
    let max_grad_norm = recipe.options.max_grad_norm;
    optimizer.update(&trainee.parameters, &gradients, learning_rate, max_grad_norm)?;
    trainee.round_copies()?;
    let numbers = vec![loss, optimizer.state().numbers().clone()];
    Ok((numbers, Given { number, learning_rate, tokens, samples }))
}

/// Mean loss and mean gradients over the batches of the step numbered `number`, the latter times the loss scale. Each process
/// computes a share of the samples.
fn accumulate(
    trainee: &Trainee,
    optimizer: &AdamW,
    recipe: &Recipe,
    batches: &mut Batches,
    number: usize,
) -> std::result::Result<Parts, TrainingError> {
    let device = trainee.model.device();
    let passes = recipe.options.gradient_accumulation_steps;
    let (mut tokens, mut count) = (0, 0);
    let mut sums: Option<(Tensor, Vec<Tensor>)> = None;

    let first = (number * passes) as u64;
    for share in share::of_step(recipe, batches, first..first + passes as u64) {
        let Share { samples, dropout_seed, weight } = share;
        let batch = TrainingBatch::packed(&samples, device)?;

        let loss = share::weighted(trainee.loss(&batch, Some(dropout_seed))?, weight)?;
        let (loss, gradients) = trainee.backward(loss, optimizer.state())?;

        tokens += batch.tokens() as u64;
        count += samples.len() as u64;
        sums = Some(match sums {
            None => (loss, gradients),
            Some((losses, sums)) => ((losses + loss)?, added(&sums, &gradients)?),
        });
    }

    let (mut loss, mut gradients) = match sums {
        Some(sums) => sums,
        None => (no_loss(device)?, trainee.no_gradients()?),
    };
    if passes > 1 {
        let share = 1.0 / passes as f64;
        loss = (loss * share)?;
        gradients = gradients.iter().map(|sum| sum * share).collect::<Result<_>>()?;
    }
    Ok(Parts { loss, gradients, tokens, samples: count })
}

fn added(sums: &[Tensor], gradients: &[Tensor]) -> Result<Vec<Tensor>> {
    sums.iter().zip(gradients).map(|(a, b)| a + b).collect()
}

/// The loss of a process that computed nothing.
fn no_loss(device: &Device) -> Result<Tensor> {
    Tensor::zeros((), DType::F32, device)
}

/// Waits for a step, which is an error if the run has diverged.
pub(super) fn finished(
    submissions: &mut Submissions,
    work: Submitted,
    given: Given,
) -> std::result::Result<Step, TrainingError> {
    let Given { number, learning_rate, tokens, samples } = given;
    let Outcome { numbers, took } = submissions.wait(work)?;
    let progress = Progress::from_numbers(numbers.get(1..).unwrap_or_default())?;
    let loss = numbers[0];
    let grad_norm = progress.grad_norm;
    if !loss.is_finite() || (!grad_norm.is_finite() && progress.loss_scale.exhausted()) {
        return Err(TrainingError::NotFinite { step: number, loss, grad_norm });
    }
    let seconds = took.as_secs_f64();
    Ok(Step { number, loss, progress, learning_rate, tokens, samples, seconds })
}
