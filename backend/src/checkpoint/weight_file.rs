//! An open file that is read at positions, by several threads at once.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::CheckpointError;

const LFS_START: &[u8; 23] = b"version https://git-lfs";

/// A file of weights; its length was taken when it was opened.
#[derive(Debug)]
pub(super) struct WeightFile {
    path: PathBuf,
    file: File,
    size_bytes: u64,
}

impl WeightFile {
    pub(super) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let failed = |source| CheckpointError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let size_bytes = file.metadata().map_err(failed)?.len();
        let file = Self { path: path.to_owned(), file, size_bytes };
        file.refuse_pointer()?;
        Ok(file)
    }

    /// A clone without Git LFS has a few lines of text in the place of each large file.
    fn refuse_pointer(&self) -> Result<(), CheckpointError> {
        let mut start = [0; LFS_START.len()];
        if self.size_bytes < start.len() as u64 {
            return Ok(());
        }
        self.read_at(&mut start, 0)?;
        if start == *LFS_START {
            return Err(self.damaged("it is a Git LFS pointer: the weights were never downloaded"));
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// For readers that seek; they share one position, which `read_at` neither uses nor needs.
    pub(super) fn stream(&self) -> &File {
        &self.file
    }

    /// Fills `bytes` from `offset`.
    pub(super) fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), CheckpointError> {
        self.check_range(offset, bytes.len() as u64)?;
        read_exact_at(&self.file, bytes, offset).map_err(|error| self.read_error(error))
    }

    /// Refuses a range that the file does not have.
    pub(super) fn check_range(&self, offset: u64, length: u64) -> Result<(), CheckpointError> {
        let end = offset.saturating_add(length);
        if end > self.size_bytes { Err(self.truncated(end)) } else { Ok(()) }
    }

    pub(super) fn truncated(&self, wanted_bytes: u64) -> CheckpointError {
        let found_bytes = self.size_bytes;
        CheckpointError::Truncated { path: self.path.clone(), wanted_bytes, found_bytes }
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.clone(), what: what.into() }
    }

    pub(super) fn read_error(&self, source: io::Error) -> CheckpointError {
        CheckpointError::Read { path: self.path.clone(), source }
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

/// Windows moves the file's position, but each call names its own, so threads do not disturb each other.
#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                bytes = &mut bytes[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
