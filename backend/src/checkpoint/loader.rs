//! Tensors of a folder on their way to a device: what reading them takes is kept from one to the next.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Tensor};

use super::load::Reading;
use super::weight_file::WeightFile;
use super::{Checkpoint, CheckpointError};
use crate::ops::Upload;

/// How much of a model's weights has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    pub done_bytes: u64,
    pub total_bytes: u64,
}

impl LoadProgress {
    /// From 0 to 100.
    pub fn percent(self) -> u64 {
        (self.done_bytes * 100).checked_div(self.total_bytes).unwrap_or(100)
    }
}

/// Is told, by several threads, after each piece that was read.
pub type Watch<'a> = &'a (dyn Fn(LoadProgress) + Sync);

/// Reads tensors of a checkpoint, as many pieces at once as the pool has threads.
///
/// For a GPU a piece is read into one of a few page-locked buffers and copied from there while others are read, and the
/// device converts the numbers; for the processor each thread converts what it has read. Beside the tensors themselves
/// this takes a few megabytes a thread, whatever the model's size.
pub struct Loader<'a> {
    checkpoint: &'a Checkpoint,
    way: Way<'a>,
}

/// From files to a device.
pub(super) struct Way<'a> {
    pub(super) device: &'a Device,
    /// Where the device is a GPU.
    pub(super) upload: Option<Upload>,
    /// Memory for what is being converted.
    scratch: Mutex<Vec<Vec<u8>>>,
    done_bytes: AtomicU64,
    total_bytes: u64,
    watch: Watch<'a>,
}

impl<'a> Loader<'a> {
    /// For the tensors `names` to come, of which `watch` is told; names that are not there do not count.
    pub fn new(
        checkpoint: &'a Checkpoint,
        device: &'a Device,
        names: impl IntoIterator<Item = impl AsRef<str>>,
        watch: Watch<'a>,
    ) -> Self {
        let size = |name: &str| Some(checkpoint.tensors.get(name)?.1.size_bytes());
        let total_bytes = names.into_iter().filter_map(|name| size(name.as_ref())).sum();
        let (scratch, done_bytes) = (Mutex::default(), AtomicU64::new(0));
        let upload = Upload::new(device);
        Self { checkpoint, way: Way { device, upload, scratch, done_bytes, total_bytes, watch } }
    }

    /// Reads `name` as a tensor of `dtype`; it must have the shape `wanted`.
    ///
    /// On a GPU the numbers may still be on their way: whatever reads the tensor there comes after them.
    pub fn tensor(
        &self,
        name: &str,
        wanted: &[usize],
        dtype: DType,
    ) -> Result<Tensor, CheckpointError> {
        self.reading(name, wanted)?.weights(dtype)
    }

    /// Reads the bytes of `name`, whole numbers of 8 bits (or what else a byte is made of), as u8.
    pub fn integers(&self, name: &str, wanted: &[usize]) -> Result<Tensor, CheckpointError> {
        self.reading(name, wanted)?.bytes()
    }

    fn reading<'b>(
        &'b self,
        name: &'b str,
        wanted: &[usize],
    ) -> Result<Reading<'b>, CheckpointError> {
        let (file, tensor) = self.checkpoint.find_shaped(name, wanted)?;
        Ok(Reading { name, tensor, file, way: &self.way })
    }
}

impl Way<'_> {
    /// Fills `bytes` from `offset` of `file`, and tells.
    pub(super) fn read(
        &self,
        file: &WeightFile,
        bytes: &mut [u8],
        offset: u64,
    ) -> Result<(), CheckpointError> {
        file.read_at(bytes, offset)?;
        let read = bytes.len() as u64;
        let done_bytes = self.done_bytes.fetch_add(read, Ordering::Relaxed) + read;
        (self.watch)(LoadProgress { done_bytes, total_bytes: self.total_bytes });
        Ok(())
    }

    /// Memory that was used before, if there is some.
    pub(super) fn scratch(&self) -> Vec<u8> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    pub(super) fn give_back(&self, scratch: Vec<u8>) {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let folder: &Path = &self.checkpoint.folder;
        formatter.debug_struct("Loader").field("folder", &folder).finish_non_exhaustive()
    }
}
