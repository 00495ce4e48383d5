//! Attention with ChatGLM's mask: the prompt sees itself whole, the answer sees backwards, padding
//! on the left is seen by nobody.
//!
//! Scores never leave the cache: a tile of queries is scored, softened and read at once, and the
//! backward scores it again from the logarithm of each row's sum.

mod cache;
mod fused;
mod head;
mod plain;

pub use cache::KvCache;
pub use fused::rotary_attention;
pub use plain::attention;

/// Who sees whom, as a rule for each sequence of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionMask {
    pub rows: Vec<MaskRow>,
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
