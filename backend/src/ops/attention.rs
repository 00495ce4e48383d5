//! Attention with ChatGLM's mask: the prompt sees itself whole, the answer sees backwards, padding
//! on the left is seen by nobody.
//!
//! Scores never leave the cache: a tile of queries is scored, softened and read at once, and the
//! backward scores it again from the logarithm of each row's sum.

mod cache;
mod fused;
mod head;
mod pages;
mod plain;

#[cfg(feature = "cuda")]
use candle_core::{Device, Tensor};
use candle_core::{Result, bail};

pub use cache::{KvCache, LayerCache, rotary_attention_of_chats};
pub use fused::rotary_attention;
pub use pages::{OutOfPages, PAGE_TOKENS, PageCounts, PagePool, PageShape};
pub use plain::attention;

/// Who sees whom, as a rule for each sequence of a batch.
#[derive(Debug, Clone)]
pub struct AttentionMask {
    pub rows: Vec<MaskRow>,
    /// Tokens of each sequence, where all lie one after another in a single row of the batch. Else each has a row, and all
    /// are of one length.
    packed: Option<Vec<usize>>,
    /// The spans where the kernels of a GPU read them, from the first use on: `[sequences, 4]`, u32.
    #[cfg(feature = "cuda")]
    on_device: std::sync::OnceLock<Tensor>,
}

/// A sequence among the tokens of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Its first token, counted through the whole batch.
    pub(super) start: usize,
    pub(super) len: usize,
    pub(super) mask: MaskRow,
}

impl AttentionMask {
    /// Of a batch `[sequences, seq]`.
    pub fn new(rows: Vec<MaskRow>) -> Self {
        Self::of(rows, None)
    }

    /// Of a batch `[1, seq]` in which sequences lie one after another, without padding; no sequence sees another. Tokens
    /// and context of each.
    pub fn packed(sequences: &[(usize, usize)]) -> Self {
        let rows = sequences.iter().map(|&(_, context)| MaskRow { padding: 0, context });
        Self::of(rows.collect(), Some(sequences.iter().map(|&(len, _)| len).collect()))
    }

    fn of(rows: Vec<MaskRow>, packed: Option<Vec<usize>>) -> Self {
        Self {
            rows,
            packed,
            #[cfg(feature = "cuda")]
            on_device: std::sync::OnceLock::new(),
        }
    }

    /// The sequences of a batch `[batch, seq]`.
    pub(super) fn spans(&self, (batch, seq): (usize, usize)) -> Result<Vec<Span>> {
        let lens = match &self.packed {
            None if self.rows.len() == batch => vec![seq; batch],
            Some(lens) if batch == 1 && lens.iter().sum::<usize>() == seq => lens.clone(),
            None => bail!("a mask of {} rows for a batch of {batch}", self.rows.len()),
            Some(lens) => bail!("a mask of packed sequences {lens:?} for a batch {batch} x {seq}"),
        };
        let mut start = 0;
        let span = |(&mask, len): (&MaskRow, usize)| {
            let span = Span { start, len, mask };
            start += len;
            span
        };
        Ok(self.rows.iter().zip(lens).map(span).collect())
    }

    /// Tokens of the longest sequence of a batch `[.., seq]`.
    #[cfg(feature = "cuda")]
    pub(super) fn longest(&self, seq: usize) -> usize {
        self.packed.iter().flatten().copied().max().unwrap_or(seq)
    }

    /// Whether several sequences share a row.
    fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// Start, length, padding and context of each sequence of a batch `[batch, seq]`: `[sequences, 4]`, u32.
    #[cfg(feature = "cuda")]
    pub(super) fn on_device(&self, sizes: (usize, usize), device: &Device) -> Result<&Tensor> {
        if let Some(rows) = self.on_device.get() {
            return Ok(rows);
        }
        let spans = self.spans(sizes)?;
        let words = spans.iter().flat_map(|Span { start, len, mask }| {
            [*start, *len, mask.padding, mask.context].map(|it| it as u32)
        });
        let rows = Tensor::from_vec(words.collect(), (spans.len(), 4), device)?;
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
