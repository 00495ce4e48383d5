//! Scores of the tokens.

use candle_core::{Result, Tensor};

/// `hidden` `[.., model]` times the rows of `head` `[vocab, model]`: `[.., vocab]`.
pub fn logits(hidden: &Tensor, head: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Some(logits) = super::cuda::logits(hidden, head)? {
        return Ok(logits);
    }
    super::linear(hidden, head, None)
}
