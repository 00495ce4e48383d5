//! Samples as the tensors that one pass reads: packed, one after another in one row.

use candle_core::{Device, Result, Tensor};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::sample::{Batch, BatchError, Sample};

use super::TrainingError;
use crate::{
    chatglm::Input,
    ops::{AttentionMask, MaskRow, PositionIds},
    seed,
};

/// A batch, and which of its positions predict what.
#[derive(Clone, Debug)]
pub struct TrainingBatch {
    pub input: Input,
    /// Positions, counted through the whole batch, whose next token is a label: `[rows]`, u32.
    pub label_rows: Tensor,
    /// The label of each of them.
    pub targets: Vec<u32>,
}

impl TrainingBatch {
    /// Lays `samples` one after another, so that no padding is computed, and moves them to `device`. Each sees itself
    /// alone, with positions of its own: what a sample teaches is what it teaches padded.
    pub fn packed(
        samples: &[&Sample],
        device: &Device,
    ) -> std::result::Result<Self, TrainingError> {
        Self::packed_with(samples, QuestionNoise::NONE, device)
    }

    /// The same with some tokens of the questions replaced.
    pub(super) fn packed_with(
        samples: &[&Sample],
        noise: QuestionNoise,
        device: &Device,
    ) -> std::result::Result<Self, TrainingError> {
        let position_rows = samples.first().ok_or(TrainingError::NoSamples)?.position_ids.rows();
        let mut batch = Packed::default();
        let mut position_ids = vec![Vec::new(); position_rows.len()];
        for (index, sample) in samples.iter().enumerate() {
            let rows = sample.position_ids.rows();
            if rows.len() != position_ids.len() {
                return Err(TrainingError::Batch(BatchError::MixedPositions(index)));
            }
            position_ids.iter_mut().zip(rows).for_each(|(all, row)| all.extend_from_slice(row));
            batch.add(sample);
            noise.apply(batch.last_question(), index);
        }
        Ok(batch.on(device, &position_ids)?)
    }

    /// Pads `samples` on the left to one length, as the reference does, and moves them to `device`.
    pub fn padded(
        samples: &[&Sample],
        pad_id: u32,
        device: &Device,
    ) -> std::result::Result<Self, TrainingError> {
        let batch =
            Batch::padded(samples.iter().copied(), pad_id).map_err(|error| match error {
                BatchError::Empty => TrainingError::NoSamples,
                BatchError::MixedPositions(_) => TrainingError::Batch(error),
            })?;
        Ok(Self::from_padded(batch, device)?)
    }

    fn from_padded(batch: Batch, device: &Device) -> Result<Self> {
        let (rows, seq) = (batch.len(), batch.seq);
        let mut predictions = Predictions::default();
        for (row, labels) in batch.labels.chunks(seq.max(1)).enumerate() {
            predictions.add(row * seq, labels);
        }
        let Predictions { label_rows, targets } = predictions;
        let mask_rows = batch
            .masks
            .iter()
            .map(|mask| MaskRow { padding: mask.left_padding, context: mask.context_length });
        Ok(Self {
            input: Input {
                input_ids: Tensor::from_vec(batch.input_ids, (rows, seq), device)?,
                position_ids: PositionIds {
                    batch: rows,
                    rows: batch.position_rows,
                    seq,
                    ids: batch.position_ids,
                },
                attention_mask: AttentionMask::new(mask_rows.collect()),
            },
            label_rows: Tensor::new(label_rows, device)?,
            targets,
        })
    }

    /// Tokens computed.
    pub fn tokens(&self) -> usize {
        self.input.input_ids.elem_count()
    }
}

/// Replaces tokens of questions by others of the same question (as Lample et al. 2018 make a text noisy): what is learned
/// does not hang on every word then. A pure function of its seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuestionNoise {
    pub(super) share: f32,
    pub(super) seed: u64,
    /// So many samples of a batch, the first ones; those behind are known already, and stay as they are.
    pub(super) learned: usize,
}

impl QuestionNoise {
    const NONE: Self = Self { share: 0.0, seed: 0, learned: 0 };

    /// On the question of the sample `index` of a batch.
    fn apply(self, question: &mut [u32], index: usize) {
        if index >= self.learned || self.share <= 0.0 || question.is_empty() {
            return;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed::derive(self.seed, &[index as u64]));
        for place in 0..question.len() {
            if rng.random::<f32>() < self.share {
                question[place] = question[rng.random_range(0..question.len())];
            }
        }
    }
}

/// The places whose next token is a label.
#[derive(Default)]
struct Predictions {
    label_rows: Vec<u32>,
    targets: Vec<u32>,
}

impl Predictions {
    /// Of a sequence whose first token is the one numbered `start`.
    fn add(&mut self, start: usize, labels: &[i64]) {
        // The first place of a sequence has no place before it that could predict it.
        for (place, &label) in labels.iter().enumerate().skip(1) {
            // What is ignored is negative.
            if let Ok(label) = u32::try_from(label) {
                self.label_rows.push((start + place - 1) as u32);
                self.targets.push(label);
            }
        }
    }
}

/// Samples one after another.
#[derive(Default)]
struct Packed {
    input_ids: Vec<u32>,
    /// Tokens and context of each.
    sequences: Vec<(usize, usize)>,
    predictions: Predictions,
}

impl Packed {
    fn add(&mut self, sample: &Sample) {
        self.predictions.add(self.input_ids.len(), &sample.labels);
        self.input_ids.extend_from_slice(&sample.input_ids);
        self.sequences.push((sample.len(), sample.context_length));
    }

    /// What was asked in the sample that was added last, without the two tokens that open the answer.
    fn last_question(&mut self) -> &mut [u32] {
        let (len, context) = self.sequences.last().copied().unwrap_or_default();
        let start = self.input_ids.len() - len;
        &mut self.input_ids[start..start + context.saturating_sub(1)]
    }

    /// With the positions of all, a row each count.
    fn on(self, device: &Device, position_ids: &[Vec<u32>]) -> Result<TrainingBatch> {
        let seq = self.input_ids.len();
        let Predictions { label_rows, targets } = self.predictions;
        Ok(TrainingBatch {
            input: Input {
                input_ids: Tensor::from_vec(self.input_ids, (1, seq), device)?,
                position_ids: PositionIds {
                    batch: 1,
                    rows: position_ids.len(),
                    seq,
                    ids: position_ids.concat(),
                },
                attention_mask: AttentionMask::packed(&self.sequences),
            },
            label_rows: Tensor::new(label_rows, device)?,
            targets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_replaces_some_of_what_is_to_be_learned_by_its_own() {
        let noise = QuestionNoise { share: 0.3, seed: 5, learned: 1 };
        let question: Vec<u32> = (100..200).collect();
        let noisy = |index| {
            let mut noisy = question.clone();
            noise.apply(&mut noisy, index);
            noisy
        };

        let changed = noisy(0).iter().zip(&question).filter(|(a, b)| a != b).count();
        assert!((15..45).contains(&changed), "{changed} of 100");
        assert!(noisy(0).iter().all(|id| question.contains(id)));
        assert_eq!(noisy(0), noisy(0), "a function of the seed");
        assert_eq!(noisy(1), question, "what is rehearsed stays as it is");
    }
}
