//! Samples as the tensors that one pass reads: packed, one after another in one row.

use std::borrow::Borrow;

use candle_core::{Device, Result, Tensor};
use weft_shared::sample::{Batch, BatchError, Sample};

use super::TrainingError;
use crate::{
    chatglm::Input,
    ops::{AttentionMask, MaskRow, PositionIds},
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
        samples: &[impl Borrow<Sample>],
        device: &Device,
    ) -> std::result::Result<Self, TrainingError> {
        let first: &Sample = samples.first().ok_or(TrainingError::NoSamples)?.borrow();
        let mut batch = Packed::default();
        let mut position_ids = vec![Vec::new(); first.position_ids.rows().len()];
        for (index, sample) in samples.iter().map(Borrow::borrow).enumerate() {
            let rows = sample.position_ids.rows();
            if rows.len() != position_ids.len() {
                return Err(TrainingError::Batch(BatchError::MixedPositions(index)));
            }
            position_ids.iter_mut().zip(rows).for_each(|(all, row)| all.extend_from_slice(row));
            batch.add(sample);
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
