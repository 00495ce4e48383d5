//! Samples as the tensors that one pass reads: packed, one after another in one row.

use std::borrow::Borrow;

use candle_core::{Device, Result, Tensor};
use weft_shared::sample::{BatchError, Sample};

use super::TrainingError;
use crate::{
    chatglm::Input,
    ops::{AttentionMask, PositionIds},
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

    /// Tokens computed.
    pub fn tokens(&self) -> usize {
        self.input.input_ids.elem_count()
    }
}

/// Samples one after another.
#[derive(Default)]
struct Packed {
    input_ids: Vec<u32>,
    /// Tokens and context of each.
    sequences: Vec<(usize, usize)>,
    /// The places whose next token is a label.
    label_rows: Vec<u32>,
    targets: Vec<u32>,
}

impl Packed {
    fn add(&mut self, sample: &Sample) {
        let start = self.input_ids.len();
        // The first place of a sample has no place before it that could predict it.
        for (place, &label) in sample.labels.iter().enumerate().skip(1) {
            // What is ignored is negative.
            if let Ok(label) = u32::try_from(label) {
                self.label_rows.push((start + place - 1) as u32);
                self.targets.push(label);
            }
        }
        self.input_ids.extend_from_slice(&sample.input_ids);
        self.sequences.push((sample.len(), sample.context_length));
    }

    /// With the positions of all, a row each count.
    fn on(self, device: &Device, position_ids: &[Vec<u32>]) -> Result<TrainingBatch> {
        let seq = self.input_ids.len();
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
            label_rows: Tensor::new(self.label_rows, device)?,
            targets: self.targets,
        })
    }
}
