//! Gradients that do not go over candle's tape, which has room for three arguments an op: of adapters in the blocks that a GPU
//! computes as one op, and in full training there, where the model's weights are half-precision copies of what learns and the
//! tape would round their gradients, too. Each op puts the gradients of its weights aside, in f32.
//!
//! On the CPU, and in f32, the tape carries the gradients of whatever learns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Tensor, TensorId};

/// Where the gradients of weights are put while candle walks its tape back; found again by the weight.
#[derive(Clone, Debug, Default)]
pub struct WeightGradients(Arc<Mutex<HashMap<TensorId, Tensor>>>);

impl WeightGradients {
    /// The gradient of `weight`, of its shape, f32; it is there no more.
    pub fn take(&self, weight: &Tensor) -> Option<Tensor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&weight.id())
    }

    /// Keeps the gradient of `weight` until it is taken.
    #[cfg(feature = "cuda")]
    pub(super) fn put(&self, weight: &Tensor, gradient: Tensor) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(weight.id(), gradient);
    }
}

/// A weight that learns, in f32, and the copy of it that the model computes with.
#[derive(Clone, Copy, Debug)]
pub struct Learned<'a> {
    pub weight: &'a Tensor,
    pub copy: &'a Tensor,
}

#[cfg(feature = "cuda")]
pub use super::cuda::learned::{
    learned_cross_entropy, learned_embedding, learned_layer_norm, round_copies,
};

#[cfg(not(feature = "cuda"))]
mod without_gpu {
    use candle_core::{Result, Tensor, bail};

    use super::{Learned, WeightGradients};

    const NONE: &str = "half-precision weights learn on a GPU only";

    /// See [`crate::ops::embedding`].
    pub fn learned_embedding(_: &Tensor, _: &Tensor, _: &WeightGradients) -> Result<Tensor> {
        bail!("{NONE}")
    }

    /// See [`crate::ops::layer_norm()`].
    pub fn learned_layer_norm(
        _: &Tensor,
        _: [&Tensor; 2],
        _: f64,
        _: &WeightGradients,
    ) -> Result<Tensor> {
        bail!("{NONE}")
    }

    /// See [`crate::ops::cross_entropy()`].
    pub fn learned_cross_entropy(
        _: &Tensor,
        _: &Tensor,
        _: &[u32],
        _: &WeightGradients,
    ) -> Result<Tensor> {
        bail!("{NONE}")
    }

    /// Makes each copy its weight again, rounded.
    pub fn round_copies(_: &[Learned]) -> Result<()> {
        bail!("{NONE}")
    }
}

#[cfg(not(feature = "cuda"))]
pub use without_gpu::{learned_cross_entropy, learned_embedding, learned_layer_norm, round_copies};
