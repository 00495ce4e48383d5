//! What a load takes of this machine: memory of the process, and files that the system remembers.

use std::{fs, io, path::Path};

/// Most bytes of memory that the process has had since [`reset_peak`], where the system counts them.
pub(super) fn peak_rss() -> Option<u64> {
    counted("VmHWM:")
}

/// Bytes of memory that the process has, where the system counts them.
pub(super) fn rss() -> Option<u64> {
    counted("VmRSS:")
}

/// Starts to count anew, where the system lets a process do so.
pub(super) fn reset_peak() {
    // Where it does not, the peak is that of the whole process, which is an upper bound.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn counted(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// Has the system forget the pages of a file, so that the next read is one of the disk. The file must have been written
/// to the disk.
#[cfg(target_os = "linux")]
pub(super) fn forget(path: &Path) -> io::Result<()> {
    use rustix::fs::{Advice, fadvise};

    Ok(fadvise(fs::File::open(path)?, 0, None, Advice::DontNeed)?)
}

/// Only Linux is asked.
#[cfg(not(target_os = "linux"))]
pub(super) fn forget(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_not_below_what_there_is() {
        reset_peak();

        let (now, peak) = (rss().unwrap(), peak_rss().unwrap());

        // The kernel counts both by batches of pages.
        assert!(now > 1 << 20 && peak + (1 << 20) >= now, "{peak} of {now}");
    }
}
