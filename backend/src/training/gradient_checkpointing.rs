//! Whether a pass keeps what its backward needs, or computes each block again (Chen et al. 2016).

use candle_core::{Device, Result};

use crate::{
    chatglm::ChatGlm,
    lora::{Adapter, Target},
    ops::{self, memory},
};

/// On a GPU, where a block is one op; the processor keeps what it needs. It changes no number of a run: a block that is
/// computed again gives the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GradientCheckpointing {
    Off,
    On,
    /// As long as the memory that is free would not hold what a pass keeps.
    #[default]
    Auto,
}

impl GradientCheckpointing {
    /// Whether a pass over `tokens` tokens computes its blocks again.
    pub(super) fn applies(self, model: &ChatGlm, tokens: usize, adapter: &Adapter) -> Result<bool> {
        Ok(match self {
            Self::Off => false,
            Self::On => true,
            Self::Auto => {
                let (device, needed) = (model.device(), needed(model, tokens, adapter));
                // What a device is still computing may be about to give back what it holds.
                lacks(device, needed)? && {
                    device.synchronize()?;
                    lacks(device, needed)?
                }
            }
        })
    }
}

/// Whether a device has fewer bytes free than `needed`; a processor never says so.
fn lacks(device: &Device, needed: usize) -> Result<bool> {
    Ok(memory::available(device)?.is_some_and(|free| needed > free as usize))
}

/// Bytes that a pass keeps, with the loss and an eighth to spare.
fn needed(model: &ChatGlm, tokens: usize, adapter: &Adapter) -> usize {
    let (config, number) = (model.config(), model.dtype().size_in_bytes());
    let sizes = (config.hidden_size, config.inner_hidden_size, config.num_attention_heads);
    let of_layer = |layer| {
        let ranks = Target::ALL.map(|target| adapter.rank_of(layer, target));
        ops::block_keeps(tokens, sizes, ranks, number)
    };
    let kept: usize = (0..config.num_layers).map(of_layer).sum();
    // Scores in f32 and their gradient.
    let loss = tokens.min(ops::gpu_loss_rows(config.vocab_size))
        * config.vocab_size
        * (size_of::<f32>() + number);
    (kept + loss) / 8 * 9
}
