//! Memory of this process and of the machine, in bytes, as Linux tells it; 0 where the system does not say.

use std::fs;

/// What this process has now.
pub fn resident() -> u64 {
    field("/proc/self/status", "VmRSS:")
}

/// What a process started now could have without others losing theirs.
pub fn available() -> u64 {
    field("/proc/meminfo", "MemAvailable:")
}

/// Lets [`peak`] start from what the process has now.
pub(super) fn forget_peak() {
    // Where the system does not know this, the peak is that of the whole life of the process: an honest upper bound.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most that this process had since [`forget_peak`].
pub(super) fn peak() -> u64 {
    field("/proc/self/status", "VmHWM:")
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
        assert!(resident() > 1 << 20);
        assert!(peak() >= resident() / 2);
        assert!(available() > 1 << 20);
    }
}
