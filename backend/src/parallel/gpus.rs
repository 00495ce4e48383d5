//! Gradients from GPU to GPU, by NVIDIA's NCCL.

use std::{
    cell::RefCell,
    ffi::c_char,
    thread,
    time::{Duration, Instant},
};

use candle_core::{
    CudaDevice, CudaStorage, Device, Storage, Tensor,
    backend::BackendStorage as _,
    cuda_backend::{
        WrapErr as _,
        cudarc::nccl::{Comm, Id, ReduceOp, result::NcclError},
    },
    op::BackpropOp,
};

use super::{Communicator as _, ParallelError, Star};

/// A sum that takes longer is waited for without keeping a core busy, and with an eye on the others.
const USUAL: Duration = Duration::from_millis(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// The GPUs of a run, one a process.
#[derive(Debug)]
pub(super) struct Gpus {
    device: CudaDevice,
    /// Gone once another process has: its sums would never end.
    comm: RefCell<Option<Comm>>,
}

impl Gpus {
    /// Connects `device` with the GPUs of the others, which rank 0 tells where to meet.
    pub(super) fn connect(star: &Star, device: &Device) -> Result<Self, ParallelError> {
        let device = device.as_cuda_device()?.clone();
        let place = if star.leads() { to_bytes(Id::new().map_err(failed)?) } else { Vec::new() };
        let place = from_bytes(&star.give(&place)?)?;
        let stream = device.cuda_stream();
        // NCCL takes the GPU that is this thread's.
        stream.context().bind_to_thread().w()?;
        let comm = Comm::from_rank(stream, star.rank(), star.size(), place);
        let comm = comm.map_err(|error| {
            let advice =
                "each process needs a GPU of its own, by LOCAL_RANK or CUDA_VISIBLE_DEVICES";
            ParallelError::Nccl(format!("{error:?}; {advice}"))
        })?;
        Ok(Self { device, comm: RefCell::new(Some(comm)) })
    }

    /// The sum of `own`, `[elements]`, f32, over all ranks. While it takes long, `check` says whether the others live:
    /// a process that dies would leave the GPU waiting for ever.
    pub(super) fn sum(
        &self,
        own: &Tensor,
        patience: Duration,
        check: impl Fn() -> Result<(), ParallelError>,
    ) -> Result<Tensor, ParallelError> {
        let sum = self.start(own).and_then(|sum| self.wait(patience, check).map(|()| sum));
        if sum.is_err() {
            // Takes back what waits on the GPU.
            self.comm.borrow_mut().take();
        }
        sum
    }

    fn start(&self, own: &Tensor) -> Result<Tensor, ParallelError> {
        let comm = self.comm.borrow();
        let comm = comm.as_ref().ok_or_else(|| ParallelError::Nccl("it has ended".to_owned()))?;
        let (storage, layout) = own.storage_and_layout();
        let (Storage::Cuda(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets())
        else {
            return Err(ParallelError::Nccl("it sums what lies on a GPU in one piece".to_owned()));
        };
        let own = storage.as_cuda_slice::<f32>()?.slice(start..end);
        let mut sum = self.device.alloc_zeros::<f32>(end - start)?;
        comm.all_reduce(&own, &mut sum, &ReduceOp::Sum).map_err(failed)?;
        let sum = CudaStorage::wrap_cuda_slice(sum, storage.device().clone());
        Ok(Tensor::from_storage(Storage::Cuda(sum), end - start, BackpropOp::none(), false))
    }

    /// Until all that the GPU was asked for is done.
    fn wait(
        &self,
        patience: Duration,
        check: impl Fn() -> Result<(), ParallelError>,
    ) -> Result<(), ParallelError> {
        let done = self.device.cuda_stream().record_event(None).w()?;
        let started = Instant::now();
        while !done.try_is_complete().w()? {
            let waited = started.elapsed();
            if waited < USUAL {
                thread::yield_now();
                continue;
            }
            check()?;
            if waited > patience {
                return Err(ParallelError::Nccl(format!("a sum took {} s", waited.as_secs())));
            }
            thread::sleep(BETWEEN_LOOKS);
        }
        Ok(())
    }
}

fn failed(error: NcclError) -> ParallelError {
    ParallelError::Nccl(format!("{error:?}"))
}

fn to_bytes(id: Id) -> Vec<u8> {
    id.internal().iter().flat_map(|byte| byte.to_ne_bytes()).collect()
}

fn from_bytes(bytes: &[u8]) -> Result<Id, ParallelError> {
    let internal: Vec<c_char> = bytes.iter().map(|&byte| c_char::from_ne_bytes([byte])).collect();
    let internal = internal.try_into();
    let internal = internal.map_err(|_| ParallelError::Nccl("its id was cut".to_owned()))?;
    Ok(Id::uninit(internal))
}
