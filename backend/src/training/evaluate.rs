//! Loss on samples that are not trained on.

use weft_shared::sample::Sample;

use super::{Recipe, Trainee, TrainingBatch, TrainingError};

/// Mean loss over all label tokens of `samples`, in nats, without dropout. `None` without samples. Each process
/// evaluates a part of the batches: they would wait for a single one as long as the evaluation takes.
///
/// `between` is called after each batch: it may take long, and others want the device too.
pub fn evaluate(
    trainee: &Trainee,
    samples: &[Sample],
    recipe: &Recipe,
    mut between: impl FnMut(),
) -> Result<Option<f64>, TrainingError> {
    let processes = recipe.processes;
    let (mut sum, mut tokens) = (0.0, 0);
    let batches = samples.chunks(recipe.options.batch_size);
    for samples in batches.skip(processes.rank()).step_by(processes.size()) {
        let batch = TrainingBatch::packed(samples, trainee.model.device())?;
        let loss = trainee.loss(&batch, None)?.to_scalar::<f32>()?;
        sum += f64::from(loss) * batch.targets.len() as f64;
        tokens += batch.targets.len();
        between();
    }
    let mut sums = [sum, tokens as f64];
    processes.sum(&mut sums)?;
    let [sum, tokens] = sums;
    Ok((tokens > 0.0).then(|| sum / tokens))
}
