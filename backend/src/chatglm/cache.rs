//! Keys and values of every block for the sequence so far, passed into the model and never kept inside.

use candle_core::{DType, Device, Result};

use super::ChatGlmConfig;
use crate::ops;

/// The cache of one sequence.
#[derive(Clone, Debug)]
pub struct KvCache {
    layers: Vec<ops::KvCache>,
}

impl KvCache {
    /// An empty cache with room for `capacity` tokens.
    pub fn new(
        config: &ChatGlmConfig,
        capacity: usize,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let shape = (1, config.num_attention_heads, capacity, config.head_dim());
        let layers = (0..config.num_layers)
            .map(|_| ops::KvCache::new(shape, dtype, device))
            .collect::<Result<_>>()?;
        Ok(Self { layers })
    }

    /// Tokens that it holds.
    pub fn len(&self) -> usize {
        self.layers.first().map_or(0, ops::KvCache::len)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all but the first `len` tokens.
    pub fn truncate(&mut self, len: usize) {
        for layer in &mut self.layers {
            layer.truncate(len);
        }
    }

    pub(super) fn layer(&mut self, layer: usize) -> &mut ops::KvCache {
        &mut self.layers[layer]
    }
}
