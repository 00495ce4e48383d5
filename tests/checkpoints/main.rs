//! Weights on disk: every form they are published in is read, and every damage to them is named.
#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod damage;
mod loading;
mod published;
mod quantized;
mod torch_files;

use std::path::{Path, PathBuf};

use weft_tests::fixture;

fn mini() -> PathBuf {
    fixture("mini/checkpoint")
}

/// A copy of a folder, to be damaged.
fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in folder.read_dir().unwrap() {
        let file = file.unwrap().path();
        std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
    }
    copy
}
