//! Bytes from elsewhere to the GPU: several threads fill page-locked buffers while those before are copied, at the speed of
//! the bus.

use std::{
    collections::VecDeque,
    slice,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use candle_core::{
    CudaDevice, DType, Device, Result, Tensor,
    cuda_backend::{WrapErr as _, cudarc::driver::sys::cuMemcpyHtoDAsync_v2},
};
use rayon::prelude::*;

use super::launch::{Fresh, OnDevice as _};
use super::page_locked::PageLocked;

/// Bytes of a buffer: long enough that starting a copy costs nothing beside it, short enough to stay in a cache.
const PIECE: usize = 4 << 20;
/// Most threads that fill buffers: more of them only crowd each other out of the caches (`docs/performance.md`).
const MOST_THREADS: usize = 8;
/// Buffers for each thread: one is filled while the other is copied.
const BUFFERS_A_THREAD: usize = 2;

fn threads() -> usize {
    rayon::current_num_threads().min(MOST_THREADS)
}

/// The way to a GPU. What it takes of the host's memory is given back when it goes.
#[derive(Debug)]
pub struct Upload {
    device: CudaDevice,
    buffers: Mutex<Buffers>,
}

#[derive(Debug, Default)]
struct Buffers {
    /// Those that no thread has, the first copied first.
    waiting: VecDeque<Buffer>,
    made: usize,
}

impl Upload {
    /// `None` where a processor computes, which reads what is in its memory.
    pub fn new(device: &Device) -> Option<Self> {
        let device = device.as_cuda_device().ok()?.clone();
        Some(Self { device, buffers: Mutex::default() })
    }

    /// A tensor of `shape` and `dtype` of the bytes that `fill` writes when it is called with a piece and where that begins.
    ///
    /// Several threads of the pool call it at once. The copies are on the device's stream when this returns, and need
    /// not have ended: whatever reads the tensor comes after them. `refused` makes an error of the device the caller's own.
    pub fn tensor<E: Send>(
        &self,
        shape: &[usize],
        dtype: DType,
        fill: impl Fn(u64, &mut [u8]) -> std::result::Result<(), E> + Sync,
        refused: impl Fn(candle_core::Error) -> E + Sync,
    ) -> std::result::Result<Tensor, E> {
        let fresh = Fresh::new(shape, dtype, &self.device).map_err(&refused)?;
        let start = fresh.address().map_err(&refused)?;
        let size = fresh.shape.elem_count() * dtype.size_in_bytes();
        let pieces = size.div_ceil(PIECE);
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed) * PIECE;
                if at >= size {
                    return Ok(());
                }
                let mut buffer = self.take().map_err(&refused)?;
                let len = PIECE.min(size - at);
                let filled = fill(at as u64, buffer.bytes(len));
                let done = filled.and_then(|()| {
                    buffer.copy(len, start + at as u64, &self.device).map_err(&refused)
                });
                self.lock().waiting.push_back(buffer);
                done?;
            }
        };
        (0..pieces.min(threads())).into_par_iter().with_max_len(1).try_for_each(|_| {
            // What has failed need not be finished by the others.
            work().inspect_err(|_| next.store(pieces, Ordering::Relaxed))
        })?;
        Ok(fresh.tensor())
    }

    /// A buffer whose last copy has ended.
    fn take(&self) -> Result<Buffer> {
        let mut buffers = self.lock();
        let may_make = buffers.made < BUFFERS_A_THREAD * threads();
        let first = buffers.waiting.pop_front_if(|it| !may_make || it.0.copied.is_complete());
        if let Some(buffer) = first {
            drop(buffers);
            buffer.0.copied.synchronize().w()?;
            return Ok(buffer);
        }
        buffers.made += 1;
        drop(buffers);
        PageLocked::new(PIECE, self.device.cuda_stream().context()).map(Buffer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Buffers> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`PIECE`] bytes that the driver reads.
#[derive(Debug)]
struct Buffer(PageLocked);

impl Buffer {
    /// The first `len` bytes; the last copy has ended, as [`Upload::take`] waits for it.
    fn bytes(&mut self, len: usize) -> &mut [u8] {
        assert!(len <= PIECE, "a piece is longer than its buffer");
        // SAFETY: that much is there and cleared, this is the only way to it, and the driver no longer reads it.
        unsafe { slice::from_raw_parts_mut(self.0.as_ptr().cast(), len) }
    }

    /// Puts a copy of the first `len` bytes to the address `to` on the stream.
    fn copy(&mut self, len: usize, to: u64, device: &CudaDevice) -> Result<()> {
        let stream = device.cuda_stream();
        stream.context().bind_to_thread().w()?;
        // SAFETY: the source lives until `copied`, which is waited for before it is written or freed; the target is memory
        // of which the caller has this much, and which is freed on the same stream.
        unsafe { cuMemcpyHtoDAsync_v2(to, self.0.as_ptr(), len, stream.cu_stream()) }
            .result()
            .w()?;
        self.0.copied.record(&stream).w()
    }
}
