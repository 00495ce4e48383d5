//! Attention with ChatGLM's mask: the prompt sees itself whole, the answer sees backwards, padding
//! on the left is seen by nobody.
//!
//! Scores never leave the cache: a tile of queries is scored, softened and read at once, and the
//! backward scores it again from the logarithm of each row's sum.

mod cache;
mod fused;
mod head;
mod plain;

pub use cache::{KvCache, attention_of_chats};
pub use fused::rotary_attention;
pub use plain::attention;

/// Who sees whom, as a rule for each sequence of a batch.
#[derive(Debug, Clone)]
pub struct AttentionMask {
    pub rows: Vec<MaskRow>,
    /// The rows where the kernels of a GPU read them, from the first use on: `[batch, 2]`, u32.
    #[cfg(feature = "cuda")]
    on_device: std::sync::OnceLock<candle_core::Tensor>,
}

impl AttentionMask {
    pub fn new(rows: Vec<MaskRow>) -> Self {
        Self {
            rows,
            #[cfg(feature = "cuda")]
            on_device: std::sync::OnceLock::new(),
        }
    }

    /// Padding and context of each row, `[batch, 2]`, u32.
    #[cfg(feature = "cuda")]
    pub(super) fn on_device(
        &self,
        device: &candle_core::Device,
    ) -> candle_core::Result<&candle_core::Tensor> {
        if let Some(rows) = self.on_device.get() {
            return Ok(rows);
        }
        let rows = self.rows.iter().flat_map(|row| [row.padding as u32, row.context as u32]);
        let rows = rows.collect::<Vec<_>>();
        let rows = candle_core::Tensor::from_vec(rows, (self.rows.len(), 2), device)?;
        Ok(self.on_device.get_or_init(|| rows))
    }
}

/// In a sequence with `padding` p and `context` c, query i sees key j where `j >= p` and
/// (`j <= i` or `j < p + c`). A query inside the padding reads zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskRow {
    /// Tokens of padding on the left.
    pub padding: usize,
    /// Tokens after the padding that all tokens see.
    pub context: usize,
}

impl MaskRow {
    /// The end of the keys that the query at `position` sees; they begin after the padding.
    fn end(self, position: usize, keys: usize) -> usize {
        (position + 1).max(self.padding + self.context).min(keys)
    }
}
