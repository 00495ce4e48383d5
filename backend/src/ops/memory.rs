//! Memory of a GPU.
#![expect(unsafe_code, reason = "the driver's memory pools have no safe interface")]

use candle_core::{
    Device, Error, Result,
    cuda_backend::{
        WrapErr as _,
        cudarc::driver::{result, sys},
    },
};

/// Most bytes in use at one time since the last [`reset_peak`]; `None` for a processor.
pub fn peak(device: &Device) -> Result<Option<u64>> {
    if !device.is_cuda() {
        return Ok(None);
    }
    get(device, sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH).map(Some)
}

/// Bytes in use by this process; `None` for a processor.
pub fn used(device: &Device) -> Result<Option<u64>> {
    if !device.is_cuda() {
        return Ok(None);
    }
    get(device, sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT).map(Some)
}

/// Bytes that can still be had: what the driver has, and what its pool holds for the next use. `None` for a processor.
pub fn available(device: &Device) -> Result<Option<u64>> {
    if !device.is_cuda() {
        return Ok(None);
    }
    device.as_cuda_device()?.cuda_stream().context().bind_to_thread().w()?;
    let (free, _) = result::mem_get_info().w()?;
    let reserved = get(device, sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT)?;
    let used = get(device, sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT)?;
    Ok(Some(free as u64 + reserved.saturating_sub(used)))
}

/// Whether it is the device's memory that was not enough.
pub fn is_exhausted(error: &Error) -> bool {
    // The driver's error may be wrapped several times, by cudarc and by candle.
    format!("{error:?}").contains("OUT_OF_MEMORY")
}

/// Starts to measure anew.
pub fn reset_peak(device: &Device) -> Result<()> {
    if !device.is_cuda() {
        return Ok(());
    }
    device.synchronize()?;
    set(device, sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0)
}

/// Keeps freed memory for the next use, and all work in the order of one stream.
pub(crate) fn keep(device: &Device) -> Result<()> {
    // SAFETY: everything runs on the one stream that was opened with the device.
    unsafe { device.as_cuda_device()?.disable_event_tracking() };
    set(device, sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX)
}

fn get(device: &Device, attribute: sys::CUmemPool_attribute) -> Result<u64> {
    let pool = pool(device)?;
    let mut value = 0u64;
    // SAFETY: the pool is the device's own, and these attributes are 64 bits.
    unsafe { sys::cuMemPoolGetAttribute(pool, attribute, (&raw mut value).cast()) }.result().w()?;
    Ok(value)
}

fn set(device: &Device, attribute: sys::CUmemPool_attribute, mut value: u64) -> Result<()> {
    let pool = pool(device)?;
    // SAFETY: the pool is the device's own, and these attributes are 64 bits.
    unsafe { sys::cuMemPoolSetAttribute(pool, attribute, (&raw mut value).cast()) }.result().w()?;
    Ok(())
}

fn pool(device: &Device) -> Result<sys::CUmemoryPool> {
    let stream = device.as_cuda_device()?.cuda_stream();
    let number = result::device::get(stream.context().ordinal() as i32).w()?;
    let mut pool = std::ptr::null_mut();
    // SAFETY: the device is there.
    unsafe { sys::cuDeviceGetDefaultMemPool(&raw mut pool, number) }.result().w()?;
    Ok(pool)
}
