//! Rows of the embedding.

use candle_core::{Result, Tensor};

/// The rows `ids` `[..]` (u32) of `weight` `[vocab, model]`: `[.., model]`.
///
/// candle's gather is right on every device; its gradient is computed only for a tracked weight.
pub fn embedding(ids: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (_, model) = weight.dims2()?;
    let mut shape = ids.dims().to_vec();
    shape.push(model);
    weight.index_select(&ids.flatten_all()?, 0)?.reshape(shape)
}
