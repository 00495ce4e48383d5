//! Several processes, often one a GPU, that take the steps of one run together.
//!
//! Each process of the [`World`] has a rank. It computes its part of a step's samples; sums over all ranks then give
//! every rank the same gradients, so that all optimizers stay equal and no weight ever travels. What is summed is a few
//! numbers and one buffer of gradients a step. [`join`] connects the processes over TCP ([`Star`]), which also carries
//! the gradients unless the program was built with the feature `nccl` and computes on GPUs.

mod error;
mod frame;
#[cfg(feature = "nccl")]
mod gpus;
mod link;
mod rendezvous;
mod star;
#[cfg(test)]
mod tests;
mod world;

use candle_core::{Device, Tensor};

pub use error::{ParallelError, Peer, Ranks};
pub use rendezvous::join;
pub use star::Star;
pub use world::{Master, World, WorldError};

/// The processes of a run, as one of them sees them. Every rank makes the same calls in the same order.
pub trait Communicator {
    /// Which of the processes this one is, counted from 0. Rank 0 writes what the run leaves.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn size(&self) -> usize;

    /// Says where the tensors will be that are summed: on all ranks on devices of one kind.
    fn compute_on(&self, device: &Device) -> Result<(), ParallelError>;

    /// Puts in place of each number its sum over all ranks. All get the same, to the bit.
    fn sum(&self, numbers: &mut [f64]) -> Result<(), ParallelError>;

    /// The sums of f32 tensors over all ranks. All get the same, to the bit.
    fn sum_tensors(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>, ParallelError>;

    /// Fails on all ranks unless all have the same `value`, which is called `what` in the error.
    fn agree(&self, what: &str, value: &str) -> Result<(), ParallelError>;

    /// Waits until all ranks are here, however long that takes.
    fn barrier(&self) -> Result<(), ParallelError>;

    /// Whether this is the rank that writes.
    fn leads(&self) -> bool {
        self.rank() == 0
    }
}

/// A run of one process: nothing to wait for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Communicator for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn compute_on(&self, _: &Device) -> Result<(), ParallelError> {
        Ok(())
    }

    fn sum(&self, _: &mut [f64]) -> Result<(), ParallelError> {
        Ok(())
    }

    fn sum_tensors(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>, ParallelError> {
        Ok(tensors)
    }

    fn agree(&self, _: &str, _: &str) -> Result<(), ParallelError> {
        Ok(())
    }

    fn barrier(&self) -> Result<(), ParallelError> {
        Ok(())
    }
}

/// All of `tensors` one after another: `[elements]`.
fn flat(tensors: &[Tensor]) -> candle_core::Result<Tensor> {
    let flat = tensors.iter().map(Tensor::flatten_all).collect::<candle_core::Result<Vec<_>>>()?;
    Tensor::cat(&flat, 0)
}

/// What [`flat`] put together, in the shapes of `like`.
fn parts(flat: &Tensor, like: &[Tensor]) -> candle_core::Result<Vec<Tensor>> {
    let mut start = 0;
    like.iter()
        .map(|tensor| {
            let len = tensor.elem_count();
            let part = flat.narrow(0, start, len)?.reshape(tensor.shape());
            start += len;
            part
        })
        .collect()
}
