//! What the test programs share: fixtures, where the reference data is, and what a run left.

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use candle_core::{Device, Var};
use weft::{
    device::DeviceName,
    training::{LogEntry, Trainee},
};

/// Where the tests of the model compute: the processor, or what `WEFT_TEST_DEVICE` names, which must be there.
#[expect(clippy::expect_used, reason = "a test fails so")]
pub fn device() -> &'static Device {
    static DEVICE: LazyLock<Device> = LazyLock::new(|| {
        let name = std::env::var("WEFT_TEST_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
        let name: DeviceName = name.parse().expect("a device's name");
        name.open().expect("the device of WEFT_TEST_DEVICE")
    });
    &DEVICE
}

/// Where the reference data lies, or nothing, after saying so.
///
/// It is too large for the repository: `../shared/reference` beside the workspace, or the folder that `WEFT_REFERENCE`
/// names. Tests that need it pass without it, and this line tells that they did.
pub fn reference() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference");
    let folder = std::env::var_os("WEFT_REFERENCE").map_or_else(beside, PathBuf::from);
    if folder.join("README.md").is_file() {
        return Some(folder);
    }
    let thread = std::thread::current();
    eprintln!(
        "SKIPPED {}: no reference data in {}",
        thread.name().unwrap_or("a test"),
        folder.display()
    );
    None
}

/// A file of this folder's `fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Every weight that learns, by name.
///
/// # Panics
/// Where one is not f32.
#[expect(clippy::expect_used, reason = "a test fails so")]
pub fn weights(trainee: &Trainee) -> Vec<(String, Vec<f32>)> {
    let values = |weight: &Var| weight.flatten_all()?.to_vec1();
    let named = trainee.parameters.iter();
    named.map(|(name, it)| (name.clone(), values(it).expect("weights in f32"))).collect()
}

/// The log of a run without what a clock measured.
pub fn numbers(log: &[LogEntry]) -> Vec<LogEntry> {
    log.iter().filter(|entry| !matches!(entry, LogEntry::Summary { .. })).cloned().collect()
}
