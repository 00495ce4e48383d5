//! Which samples make up which batch, and with which noise: a pure function of the seeds and the batch's number.
//!
//! Nothing is remembered between batches, so a resumed run continues with exactly the batches an unbroken
//! one would have seen.

use std::borrow::Cow;

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::{sample::Sample, training::TrainingOptions};

use super::{Recipe, question_noise::noisy};
use crate::seed;

/// Batches that are sorted by length together, as in `transformers.trainer_pt_utils.LengthGroupedSampler`.
const MEGABATCH: usize = 50;

/// The batches of a run: samples to learn, and beside them samples to rehearse. The questions of those to learn have
/// noise; what is known already stays as it is.
pub(super) struct Batches<'a> {
    samples: &'a [Sample],
    order: DataOrder,
    rehearsal: Option<(&'a [Sample], DataOrder)>,
    question_noise: f32,
    seed: u64,
}

impl<'a> Batches<'a> {
    pub(super) fn new(recipe: &Recipe<'a>) -> Self {
        let options = recipe.options;
        let order = |samples: &[Sample], size, seed| {
            let lengths = samples.iter().map(Sample::len).collect();
            DataOrder::new(lengths, size, seed, options.group_by_length)
        };
        let rehearsed = options.rehearsal_batch_size.min(recipe.rehearsal.len());
        let rehearsal = (rehearsed > 0).then(|| {
            let seed = seed::derive(options.data_seed, &[0]);
            (recipe.rehearsal, order(recipe.rehearsal, rehearsed, seed))
        });
        let order = order(recipe.samples, options.batch_size, options.data_seed);
        let TrainingOptions { question_noise, seed, .. } = *options;
        Self { samples: recipe.samples, order, rehearsal, question_noise, seed }
    }

    /// The samples of the batch numbered `number`, those to rehearse last.
    pub(super) fn batch(&mut self, number: u64) -> Vec<Cow<'a, Sample>> {
        let known = self.rehearsal.as_ref().map_or(&[][..], |(samples, _)| samples);
        let learned = self.order.batch(number).iter().enumerate();
        let mut batch: Vec<_> = learned
            .map(|(place, &index)| {
                let seed = seed::derive(seed::derive(self.seed, &[number]), &[place as u64]);
                noisy(&self.samples[index], self.question_noise, known, seed)
            })
            .collect();
        if let Some((samples, order)) = &mut self.rehearsal {
            batch.extend(order.batch(number).iter().map(|&index| Cow::Borrowed(&samples[index])));
        }
        batch
    }
}

/// The endless sequence of batches over a training part.
#[derive(Clone, Debug)]
pub(super) struct DataOrder {
    /// Tokens of each sample.
    lengths: Vec<usize>,
    batch_size: usize,
    seed: u64,
    group_by_length: bool,
    /// The last epoch asked for, with its batches.
    current: Option<(u64, Vec<Vec<usize>>)>,
}

impl DataOrder {
    /// The order over samples of these `lengths` (at least one).
    pub(super) fn new(
        lengths: Vec<usize>,
        batch_size: usize,
        seed: u64,
        group_by_length: bool,
    ) -> Self {
        Self { lengths, batch_size, seed, group_by_length, current: None }
    }

    /// Batches of one pass over the samples.
    pub(super) fn batches_per_epoch(&self) -> usize {
        self.lengths.len().div_ceil(self.batch_size)
    }

    /// Indices of the samples of the batch numbered `number`, counted from 0 over all epochs.
    pub(super) fn batch(&mut self, number: u64) -> &[usize] {
        let per_epoch = self.batches_per_epoch() as u64;
        let (epoch, within) = (number / per_epoch, (number % per_epoch) as usize);
        if self.current.as_ref().is_none_or(|(shuffled, _)| *shuffled != epoch) {
            self.current = Some((epoch, self.epoch(epoch)));
        }
        self.current.as_ref().map_or(&[], |(_, batches)| &batches[within])
    }

    fn epoch(&self, epoch: u64) -> Vec<Vec<usize>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(epoch + 1); // stream 0 splits the held-out part
        let mut order: Vec<usize> = (0..self.lengths.len()).collect();
        order.shuffle(&mut rng);
        if self.group_by_length {
            for megabatch in order.chunks_mut(MEGABATCH * self.batch_size) {
                megabatch.sort_by_key(|&sample| std::cmp::Reverse(self.lengths[sample]));
            }
        }
        order.chunks(self.batch_size).map(<[usize]>::to_vec).collect()
    }
}

/// Splits `0..samples` into a training and a held-out part, each in ascending order.
///
/// A share above zero holds out at least one sample and always leaves one to train on.
pub fn split_held_out(samples: usize, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    if share <= 0.0 || samples < 2 {
        return ((0..samples).collect(), Vec::new());
    }
    #[expect(clippy::cast_sign_loss, reason = "the share is not negative")]
    let held_out = ((samples as f64 * share).round() as usize).clamp(1, samples - 1);
    let mut order: Vec<usize> = (0..samples).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut train = order.split_off(held_out);
    train.sort_unstable();
    order.sort_unstable();
    (train, order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::Alone;

    #[test]
    fn an_epoch_visits_every_sample_once() {
        let mut order = DataOrder::new(vec![1; 7], 3, 1, false);

        let mut seen: Vec<usize> = (0..3).flat_map(|batch| order.batch(batch).to_vec()).collect();

        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_batch_depends_on_seed_and_number_alone() {
        let mut unbroken = DataOrder::new(vec![1; 9], 2, 7, false);
        let batches: Vec<Vec<usize>> = (0..20).map(|n| unbroken.batch(n).to_vec()).collect();

        let mut resumed = DataOrder::new(vec![1; 9], 2, 7, false);

        assert_eq!(resumed.batch(13), batches[13]);
        assert_ne!(batches[..5], batches[5..10], "each epoch has an order of its own");
    }

    #[test]
    fn each_batch_rehearses_some_of_what_is_known() {
        let samples = |ids: std::ops::Range<u32>| -> Vec<Sample> {
            let positions = weft_shared::sample::PositionIds::OneRow(vec![0]);
            let sample = |id| Sample {
                input_ids: vec![id],
                labels: vec![id.into()],
                position_ids: positions.clone(),
                context_length: 0,
            };
            ids.map(sample).collect()
        };
        let (new, known) = (samples(0..4), samples(10..17));
        let options = TrainingOptions {
            batch_size: 2,
            rehearsal_batch_size: 3,
            ..TrainingOptions::default()
        };
        let (samples, rehearsal) = (&new[..], &known[..]);
        let recipe = Recipe { options: &options, samples, rehearsal, processes: &Alone };
        let mut batches = Batches::new(&recipe);

        let ids = |batch: Vec<Cow<Sample>>| -> Vec<u32> {
            batch.iter().map(|it| it.input_ids[0]).collect()
        };
        let all: Vec<Vec<u32>> = (0..14).map(|number| ids(batches.batch(number))).collect();

        // A pass over seven in threes has three batches, the last one of a single sample.
        let sizes: Vec<usize> = all.iter().map(Vec::len).collect();
        assert_eq!(sizes[..6], [5, 5, 3, 5, 5, 3]);
        assert!(all.iter().all(|it| it[..2].iter().all(|&id| id < 4)));
        let mut known: Vec<u32> = all[..3].iter().flat_map(|it| it[2..].to_vec()).collect();
        known.sort_unstable();
        assert_eq!(known, (10..17).collect::<Vec<_>>());
        assert_eq!(ids(Batches::new(&recipe).batch(11)), all[11], "nothing is remembered");
    }

    #[test]
    fn only_questions_to_be_learned_have_noise() {
        let sample = Sample {
            input_ids: (0..100).collect(),
            labels: Vec::new(),
            position_ids: weft_shared::sample::PositionIds::OneRow(Vec::new()),
            context_length: 90,
        };
        let samples = [sample];
        let options = TrainingOptions {
            question_noise: 0.3,
            rehearsal_batch_size: 1,
            ..TrainingOptions::default()
        };
        let (rehearsal, processes) = (&samples[..], &Alone);
        let recipe = Recipe { options: &options, samples: &samples, rehearsal, processes };
        let mut batches = Batches::new(&recipe);

        let [first, second] = [0, 1].map(|number| batches.batch(number));

        assert_ne!(*first[0], samples[0]);
        assert_eq!(*first[1], samples[0]);
        assert_ne!(first[0], second[0], "each batch has noise of its own");
        assert_eq!(Batches::new(&recipe).batch(1), second, "nothing is remembered");
    }

    #[test]
    fn grouped_batches_hold_samples_of_like_length() {
        let lengths: Vec<usize> = (0..40).map(|sample| sample * 7 % 40).collect();
        let mut order = DataOrder::new(lengths.clone(), 4, 3, true);

        for number in 0..10 {
            let batch: Vec<usize> = order.batch(number).iter().map(|&s| lengths[s]).collect();
            let spread = batch.iter().max().unwrap() - batch.iter().min().unwrap();
            assert_eq!(spread, 3, "batch {number}: {batch:?}");
        }
    }

    #[test]
    fn the_held_out_part_is_disjoint_and_neither_part_is_empty() {
        for (samples, share, held_out) in [(10, 0.2, 2), (3, 0.01, 1), (2, 0.9, 1), (1, 0.5, 0)] {
            let (train, held) = split_held_out(samples, share, 5);

            assert_eq!(held.len(), held_out);
            let mut all = [train, held].concat();
            all.sort_unstable();
            assert_eq!(all, (0..samples).collect::<Vec<_>>());
        }
    }
}
