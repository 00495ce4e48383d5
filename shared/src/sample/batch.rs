//! Samples of several lengths become one rectangle, by the published padding: on the left.

use super::{AttentionMask, IGNORED, Sample};

/// Samples padded to one length. All vectors are row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// `[batch, seq]`, `<pad>` before each sample.
    pub input_ids: Vec<u32>,
    /// `[batch, seq]`, [`IGNORED`] on the padding.
    pub labels: Vec<i64>,
    /// `[batch, position_rows, seq]`, 0 on the padding.
    pub position_ids: Vec<u32>,
    /// One a sample; expanded `[seq, seq]`, masked on the padding's rows and columns.
    pub masks: Vec<AttentionMask>,
    /// Tokens a row: those of the longest sample.
    pub seq: usize,
    /// 2, or 1 where the model has one-dimensional positions.
    pub position_rows: usize,
}

/// Why samples make no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("a batch needs at least one sample")]
    Empty,
    #[error("sample {0} of the batch has another number of position rows than the first")]
    MixedPositions(usize),
}

impl Batch {
    /// Pads on the left, as `_pad` of the `main` revision's tokenizer does.
    pub fn padded<'a>(
        samples: impl IntoIterator<Item = &'a Sample>,
        pad_id: u32,
    ) -> Result<Self, BatchError> {
        let samples: Vec<_> = samples.into_iter().collect();
        let first = samples.first().ok_or(BatchError::Empty)?;
        let position_rows = first.position_ids.rows().len();
        if let Some(other) =
            samples.iter().position(|s| s.position_ids.rows().len() != position_rows)
        {
            return Err(BatchError::MixedPositions(other));
        }

        let seq = samples.iter().map(|sample| sample.len()).max().unwrap_or(0);
        let mut batch = Self {
            input_ids: Vec::with_capacity(samples.len() * seq),
            labels: Vec::with_capacity(samples.len() * seq),
            position_ids: Vec::with_capacity(samples.len() * position_rows * seq),
            masks: Vec::with_capacity(samples.len()),
            seq,
            position_rows,
        };
        for sample in samples {
            pad_left(&mut batch.input_ids, &sample.input_ids, seq, pad_id);
            pad_left(&mut batch.labels, &sample.labels, seq, IGNORED);
            for row in sample.position_ids.rows() {
                pad_left(&mut batch.position_ids, row, seq, 0);
            }
            batch.masks.push(AttentionMask {
                left_padding: seq - sample.len(),
                ..sample.attention_mask()
            });
        }
        Ok(batch)
    }

    /// How many samples the batch has.
    pub fn len(&self) -> usize {
        self.masks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.masks.is_empty()
    }

    /// Places that hold no token of any sample.
    pub fn padding(&self) -> usize {
        self.masks.iter().map(|mask| mask.left_padding).sum()
    }

    /// All masks, `[batch, seq, seq]`, true = masked.
    pub fn attention_mask(&self) -> Vec<bool> {
        self.masks.iter().flat_map(|mask| mask.expand()).collect()
    }
}

fn pad_left<T: Copy>(to: &mut Vec<T>, row: &[T], seq: usize, padding: T) {
    to.extend(std::iter::repeat_n(padding, seq - row.len()));
    to.extend_from_slice(row);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{PairIds, SampleOptions, assemble};
    use crate::tokenizer::SpecialIds;

    const SPECIAL: SpecialIds = SpecialIds { mask: 90, gmask: 91, sop: 94, eop: 95, pad: 93 };

    #[test]
    fn short_samples_are_padded_on_the_left() {
        let (short, long) = (sample(&[1], &[2], true), sample(&[1, 1], &[2, 3], true));

        let batch = Batch::padded([&short, &long], SPECIAL.pad).unwrap();

        assert_eq!(batch.input_ids, [93, 93, 1, 91, 94, 2, 95, 1, 1, 91, 94, 2, 3, 95]);
        assert_eq!(batch.labels[..7], [-100, -100, -100, -100, -100, 2, 95]);
        assert_eq!(batch.position_ids[..14], [0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 1, 2, 3]);
        assert_eq!(batch.masks[0], AttentionMask { context_length: 2, length: 5, left_padding: 2 });
        assert_eq!((batch.len(), batch.seq, batch.position_rows, batch.padding()), (2, 7, 2, 2));
    }

    #[test]
    fn nothing_and_mixtures_are_refused() {
        let (two, one) = (sample(&[1], &[2], true), sample(&[1], &[2], false));

        assert_eq!(Batch::padded([], SPECIAL.pad), Err(BatchError::Empty));
        assert_eq!(Batch::padded([&two, &one], SPECIAL.pad), Err(BatchError::MixedPositions(1)));
    }

    proptest! {
        #[test]
        fn padding_changes_nothing_else(
            pairs in prop::collection::vec((prop::collection::vec(0..80_u32, 0..9), prop::collection::vec(0..80_u32, 0..9)), 1..6),
            two_rows: bool,
        ) {
            let samples: Vec<_> = pairs.iter().map(|(question, answer)| sample(question, answer, two_rows)).collect();

            let batch = Batch::padded(&samples, SPECIAL.pad).unwrap();

            for (n, sample) in samples.iter().enumerate() {
                let row = |values: &[u32]| values[(n + 1) * batch.seq - sample.len()..(n + 1) * batch.seq].to_vec();
                prop_assert_eq!(&row(&batch.input_ids), &sample.input_ids);
                prop_assert_eq!(&batch.labels[(n + 1) * batch.seq - sample.len()..(n + 1) * batch.seq], &sample.labels);
                for (r, positions) in sample.position_ids.rows().iter().enumerate() {
                    let end = (n * batch.position_rows + r + 1) * batch.seq;
                    prop_assert_eq!(&batch.position_ids[end - sample.len()..end], positions);
                }
                let (padded, alone) = (batch.masks[n], sample.attention_mask());
                for i in 0..sample.len() {
                    for j in 0..sample.len() {
                        let shift = padded.left_padding;
                        prop_assert_eq!(padded.is_masked(i + shift, j + shift), alone.is_masked(i, j));
                    }
                }
            }
            prop_assert_eq!(batch.input_ids.len(), batch.len() * batch.seq);
            prop_assert_eq!(batch.labels.len(), batch.len() * batch.seq);
            prop_assert_eq!(batch.position_ids.len(), batch.len() * batch.position_rows * batch.seq);
            prop_assert_eq!(batch.attention_mask().len(), batch.len() * batch.seq * batch.seq);
        }

        #[test]
        fn every_sequence_has_one_length_and_labels_are_the_answer(
            question in prop::collection::vec(0..100_u32, 0..20),
            answer in prop::collection::vec(0..100_u32, 0..20),
            two_rows: bool,
        ) {
            let sample = sample(&question, &answer, two_rows);

            let context = question.len() + 2;
            prop_assert_eq!(sample.labels.len(), sample.len());
            prop_assert!(sample.position_ids.rows().iter().all(|row| row.len() == sample.len()));
            prop_assert_eq!(sample.attention_mask().size(), sample.len());
            prop_assert!(sample.labels[..context].iter().all(|&label| label == IGNORED));
            prop_assert!(sample.labels[context..].iter().zip(&sample.input_ids[context..]).all(|(&l, &id)| l == i64::from(id)));
            prop_assert_eq!(sample.learned(), answer.len() + 1);
        }
    }

    fn sample(question: &[u32], answer: &[u32], two_rows: bool) -> Sample {
        let ids = PairIds {
            prompt: question.to_vec(),
            separator: vec![],
            opening: vec![SPECIAL.gmask, SPECIAL.sop],
            answer: answer.to_vec(),
        };
        let options = SampleOptions { position_encoding_2d: two_rows, ..SampleOptions::default() };
        assemble(&ids, SPECIAL, &options).unwrap().sample
    }
}
