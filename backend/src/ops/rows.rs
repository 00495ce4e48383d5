//! Some rows of a matrix.

use candle_core::{Result, Tensor};

/// The rows `ids` (u32, each at most once) of `x` `[rows, columns]`.
pub fn select_rows(x: &Tensor, ids: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if x.device().is_cuda() && x.is_contiguous() {
        return super::cuda::select_rows(x, ids);
    }
    x.index_select(ids, 0)
}
