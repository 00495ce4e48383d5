//! Memory of the host that the driver copies from and to by itself; any other it would first copy once more, or let the host
//! wait.

use std::{ffi::c_void, ptr::NonNull, sync::Arc};

use candle_core::{
    Result, bail,
    cuda_backend::{
        WrapErr as _,
        cudarc::driver::{CudaContext, CudaEvent, result, sys::CUevent_flags},
    },
};

/// Page-locked memory, given back when it goes.
#[derive(Debug)]
pub(super) struct PageLocked {
    memory: NonNull<c_void>,
    /// When the last copy from or to here has ended.
    pub(super) copied: CudaEvent,
}

// SAFETY: the memory is this value's alone, and any thread may use it.
unsafe impl Send for PageLocked {}

impl PageLocked {
    /// `len` bytes, zeros.
    pub(super) fn new(len: usize, context: &Arc<CudaContext>) -> Result<Self> {
        // A thread that waits must not keep a core from others.
        let copied = context.new_event(Some(CUevent_flags::CU_EVENT_BLOCKING_SYNC)).w()?;
        // SAFETY: the driver gives memory of this size or an error; it is cleared before it is a slice.
        let memory = unsafe {
            let memory = result::malloc_host(len, 0).w()?;
            memory.cast::<u8>().write_bytes(0, len);
            memory
        };
        let Some(memory) = NonNull::new(memory) else { bail!("no page-locked memory") };
        Ok(Self { memory, copied })
    }

    /// Of the first byte; aligned as a page is.
    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.memory.as_ptr()
    }
}

impl Drop for PageLocked {
    fn drop(&mut self) {
        let bound = || self.copied.context().bind_to_thread();
        // Memory that may still be copied from or to is rather lost than freed.
        if self.copied.synchronize().is_ok() && bound().is_ok() {
            // SAFETY: from `malloc_host`, and no copy is on its way.
            let _ = unsafe { result::free_host(self.memory.as_ptr()) };
        }
    }
}
