//! How a result that is there already gets onto candle's tape.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CudaStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::launch::Fresh;

/// The gradients of three arguments, of those that are wanted.
pub(super) type Gradients = (Option<Tensor>, Option<Tensor>, Option<Tensor>);

/// Finds the gradients of the arguments from that of the result.
pub(super) trait Backward: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    fn backward(&self, d_result: &Tensor) -> Result<Gradients>;
}

/// `result` as something computed from `args`.
pub(super) fn record(result: Fresh, args: [&Tensor; 3], backward: impl Backward) -> Result<Tensor> {
    let [first, second, third] = args;
    first.apply_op3(second, third, Node { result: Mutex::new(Some(result)), backward })
}

struct Node<B> {
    /// Until the tape has it.
    result: Mutex<Option<Fresh>>,
    backward: B,
}

impl<B: Backward> CustomOp3 for Node<B> {
    fn name(&self) -> &'static str {
        self.backward.name()
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        bail!("{}: computed on a GPU", self.name())
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        match self.result.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(result) => Ok((result.storage, result.shape)),
            None => bail!("{}: taken twice", self.name()),
        }
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        _: &Tensor,
        d_result: &Tensor,
    ) -> Result<Gradients> {
        self.backward.backward(&d_result.contiguous()?)
    }
}
