//! Memory where a model is computed, in bytes: of a GPU, or of this process and the machine, as Linux tells it. 0 where the
//! system does not say.

use std::fs;

use candle_core::Device;

use crate::ops::memory as of_gpu;

/// What this process has of the host's memory now.
pub fn resident() -> u64 {
    field("/proc/self/status", "VmRSS:")
}

/// What this process has now on `device`.
pub fn used(device: &Device) -> u64 {
    on(device, of_gpu::used, resident)
}

/// What it could have beside that without others losing theirs.
pub fn available(device: &Device) -> u64 {
    on(device, of_gpu::available, || field("/proc/meminfo", "MemAvailable:"))
}

/// Lets [`peak`] start from what the process has now.
pub fn forget_peak(device: &Device) {
    // Where the system does not know this, the peak is that of the whole life of the process: an honest upper bound.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let _ = of_gpu::reset_peak(device);
}

/// The most that this process had on `device` since [`forget_peak`].
pub fn peak(device: &Device) -> u64 {
    on(device, of_gpu::peak, || field("/proc/self/status", "VmHWM:"))
}

/// What a GPU says, or the host where a processor computes.
fn on(
    device: &Device,
    gpu: impl Fn(&Device) -> candle_core::Result<Option<u64>>,
    host: impl Fn() -> u64,
) -> u64 {
    gpu(device).unwrap_or(Some(0)).unwrap_or_else(host)
}

/// A line such as `VmRSS:   1234 kB`.
fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_some_memory_and_the_machine_more() {
        let device = Device::Cpu;
        assert!(used(&device) > 1 << 20);
        assert!(peak(&device) >= used(&device) / 2);
        assert!(available(&device) > 1 << 20);
    }
}
