//! What each process computes of a step, so that the sum over all is what one process would compute.
//!
//! The samples of a step, in their order, are cut into stretches of like number, one a process. A stretch may cover
//! whole batches, which are then computed as one process computes them, dropout included; or a part of a batch, whose
//! mean loss counts by its share of the batch's label tokens. A part has dropout of its own: no two parts share a mask,
//! but together they do not have the mask of the whole.

use std::{borrow::Cow, ops::Range};

use candle_core::{Result, Tensor};
use weft_shared::sample::{IGNORED, Sample};

use super::{Batches, Recipe};
use crate::{
    parallel::{Communicator, ParallelError},
    seed,
};

/// One pass of one process.
pub(super) struct Share<'a> {
    pub(super) samples: Vec<Cow<'a, Sample>>,
    pub(super) dropout_seed: u64,
    /// What its mean loss counts in its batch's.
    pub(super) weight: f64,
}

/// What this process computes of a step over the batches of these numbers.
pub(super) fn of_step<'a>(
    recipe: &Recipe,
    batches: &mut Batches<'a>,
    numbers: Range<u64>,
) -> Vec<Share<'a>> {
    let batches: Vec<(u64, Vec<Cow<Sample>>)> =
        numbers.map(|number| (number, batches.batch(number))).collect();
    let lens: Vec<usize> = batches.iter().map(|(_, batch)| batch.len()).collect();
    let mut shares = Vec::new();
    for ((number, batch), rows) in
        batches.into_iter().zip(stretch(&lens, recipe.processes.rank(), recipe.processes.size()))
    {
        let seed = recipe.options.seed;
        if rows.len() == batch.len() {
            let dropout_seed = seed::derive(seed, &[number]);
            shares.push(Share { samples: batch, dropout_seed, weight: 1.0 });
            continue;
        }
        let samples = batch[rows.clone()].to_vec();
        let weight = labels(&samples) as f64 / labels(&batch) as f64;
        if weight > 0.0 {
            let dropout_seed = seed::derive(seed, &[number, rows.start as u64]);
            shares.push(Share { samples, dropout_seed, weight });
        }
    }
    shares
}

/// The rows of each batch that the process of this rank computes.
fn stretch(lens: &[usize], rank: usize, size: usize) -> Vec<Range<usize>> {
    let all: usize = lens.iter().sum();
    let (start, end) = (rank * all / size, (rank + 1) * all / size);
    let mut before = 0;
    lens.iter()
        .map(|&len| {
            let row = |place: usize| place.clamp(before, before + len) - before;
            let rows = row(start)..row(end);
            before += len;
            rows
        })
        .collect()
}

fn labels(samples: &[Cow<Sample>]) -> usize {
    let of = |sample: &Cow<Sample>| sample.labels.iter().filter(|&&label| label != IGNORED).count();
    samples.iter().map(of).sum()
}

/// The loss, as it counts in its batch.
pub(super) fn weighted(loss: Tensor, weight: f64) -> Result<Tensor> {
    if weight == 1.0 { Ok(loss) } else { loss * weight }
}

/// What the processes computed of a step.
pub(super) struct Parts {
    /// Mean loss, a scalar, and gradients: each process's part of the sum.
    pub(super) loss: Tensor,
    pub(super) gradients: Vec<Tensor>,
    pub(super) tokens: u64,
    pub(super) samples: u64,
}

impl Parts {
    /// Of all processes.
    pub(super) fn summed(
        self,
        processes: &dyn Communicator,
    ) -> std::result::Result<Self, ParallelError> {
        let Self { loss, mut gradients, tokens, samples } = self;
        // First: a process that failed before it had its gradients is noticed here, where waiting can end.
        let mut counts = [tokens as f64, samples as f64];
        processes.sum(&mut counts)?;
        #[expect(clippy::cast_sign_loss, reason = "sums of counts")]
        let [tokens, samples] = counts.map(|count| count as u64);
        gradients.push(loss);
        let mut gradients = processes.sum_tensors(gradients)?;
        let loss = gradients
            .pop()
            .ok_or_else(|| candle_core::Error::Msg("no loss came back".to_owned()))?;
        Ok(Self { loss, gradients, tokens, samples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_computed_once_and_none_has_much_more_to_do() {
        for lens in [&[8][..], &[1], &[3, 3, 3], &[4, 4, 1], &[2, 2, 2, 2]] {
            for size in 1..=9 {
                let all: Vec<Vec<Range<usize>>> =
                    (0..size).map(|rank| stretch(lens, rank, size)).collect();

                for (batch, &len) in lens.iter().enumerate() {
                    let rows: Vec<usize> =
                        all.iter().flat_map(|parts| parts[batch].clone()).collect();
                    assert_eq!(rows, (0..len).collect::<Vec<_>>(), "{lens:?} by {size}");
                }
                let loads = all.iter().map(|parts| parts.iter().map(Range::len).sum::<usize>());
                let (least, most) = (loads.clone().min(), loads.max());
                assert!(most <= least.map(|it| it + 1), "{lens:?} by {size}");
            }
        }
    }

    #[test]
    fn as_many_processes_as_batches_have_one_each() {
        let rows: Vec<usize> = stretch(&[4, 4, 4], 1, 3).iter().map(Range::len).collect();

        assert_eq!(rows, [0, 4, 0]);
    }
}
