//! Memory of a GPU, in a program that can use none.

use candle_core::{Device, Error, Result, bail};

/// `None`: a processor's memory is the system's to count.
pub fn peak(device: &Device) -> Result<Option<u64>> {
    no_gpu(device).map(|()| None)
}

/// `None`: a processor's memory is the system's to count.
pub fn used(device: &Device) -> Result<Option<u64>> {
    no_gpu(device).map(|()| None)
}

/// `None`: a processor's memory is the system's to count.
pub fn available(device: &Device) -> Result<Option<u64>> {
    no_gpu(device).map(|()| None)
}

/// Never: a processor's memory is the system's to count.
pub fn is_exhausted(_: &Error) -> bool {
    false
}

/// Does nothing for a processor.
pub fn reset_peak(device: &Device) -> Result<()> {
    no_gpu(device)
}

fn no_gpu(device: &Device) -> Result<()> {
    if !device.is_cpu() {
        bail!("this program was built without GPU support: {:?}", device.location());
    }
    Ok(())
}
