//! Samples as the tensors that one pass reads.

use candle_core::{Device, Result, Tensor};
use weft_shared::sample::{Batch, BatchError, IGNORED, Sample};

use super::TrainingError;
use crate::{
    chatglm::Input,
    ops::{AttentionMask, MaskRow, PositionIds},
};

/// A padded batch, and which of its positions predict what.
#[derive(Clone, Debug)]
pub struct TrainingBatch {
    pub input: Input,
    /// Positions, counted through the whole batch, whose next token is a label: `[rows]`, u32.
    pub label_rows: Tensor,
    /// The label of each of them.
    pub targets: Vec<u32>,
}

impl TrainingBatch {
    /// Pads `samples` by the published rules and moves them to `device`.
    pub fn new(
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
        let mut label_rows = Vec::new();
        let mut targets = Vec::new();
        for (place, &label) in batch.labels.iter().enumerate() {
            // The first place of a sequence has no place before it that could predict it.
            if label != IGNORED && place % seq > 0 {
                label_rows.push(place as u32 - 1);
                targets.push(u32::try_from(label).map_err(candle_core::Error::wrap)?);
            }
        }
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

    /// Tokens computed, padding included.
    pub fn tokens(&self) -> usize {
        self.input.input_ids.elem_count()
    }
}
