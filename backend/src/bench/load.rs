//! How fast a model gets from files to where it is computed, beside what the disk and the bus could do.

use std::{
    io,
    path::{Path, PathBuf},
    time::Instant,
};

use candle_core::{DType, Device};

use super::{Measured, Shape, host, published};
use crate::{
    atomic::WriteError,
    checkpoint::{Checkpoint, CheckpointError, CheckpointForm},
    device::WeightFormat,
    model_dir::{ModelDir, ModelDirError},
    ops::{Upload, memory},
};

/// Bytes that are copied to measure the bus.
const BUS_BYTES: usize = 256 << 20;

/// Why loading could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum LoadBenchError {
    #[error("the weights to load could not be written")]
    Write(#[from] WriteError),
    #[error("the weights could not be loaded")]
    Load(#[from] ModelDirError),
    #[error("the weights could not be read")]
    Read(#[from] CheckpointError),
    #[error("{} is still remembered by the system, so that the disk is not read", path.display())]
    Remembered { path: PathBuf, source: io::Error },
    #[error("the device does not answer")]
    Device(#[from] candle_core::Error),
}

/// What was measured.
pub struct Loading {
    pub files: usize,
    /// Of all of them.
    pub bytes: u64,
    /// Seconds of the first load, which asks the driver for memory that later ones find.
    pub first_seconds: f64,
    pub loads: Measured,
    /// Of the process, before and at most, where the system counts it.
    pub rss_bytes: (Option<u64>, Option<u64>),
    /// Of a GPU at most.
    pub device_bytes: Option<u64>,
    /// Of the files, read and forgotten.
    pub reads: Measured,
    /// Bytes a second of page-locked memory to a GPU.
    pub bus: Option<f64>,
}

/// A folder within `dir` with a model of `shape`, random f16 weights; made unless it is there.
pub fn published_model(
    dir: &Path,
    shape: Shape,
    form: CheckpointForm,
) -> Result<PathBuf, LoadBenchError> {
    let Shape { layers, hidden, heads, vocab } = shape;
    let ending = if form == CheckpointForm::Torch { "bin" } else { "safetensors" };
    let folder = dir.join(format!("random-{layers}x{hidden}x{heads}x{vocab}-{ending}"));
    // It appears whole or not at all.
    if !folder.exists() {
        published::write(&folder, &shape.config(), form)?;
    }
    Ok(folder)
}

/// Loads the model in `folder` `repeats` times and once before; with `cold`, each time from the disk.
pub fn load(
    folder: &Path,
    (format, device): (WeightFormat, &Device),
    cold: bool,
    repeats: usize,
) -> Result<Loading, LoadBenchError> {
    let dir = ModelDir::open(folder)?;
    let checkpoint = Checkpoint::open(folder)?;
    let timed = |work: &dyn Fn() -> Result<(), LoadBenchError>| {
        if cold {
            forget(&checkpoint)?;
        }
        let start = Instant::now();
        work()?;
        Ok::<_, LoadBenchError>(start.elapsed().as_secs_f64())
    };
    let load = || {
        let model = dir.load_watched(format, device, &|_| ())?;
        device.synchronize()?;
        drop(model);
        Ok(())
    };
    let repeat = |work: &dyn Fn() -> Result<(), LoadBenchError>| {
        (0..repeats.max(1)).map(|_| timed(work)).collect::<Result<Vec<f64>, _>>()
    };

    memory::reset_peak(device)?;
    let before = host::rss();
    host::reset_peak();
    let first_seconds = timed(&load)?;
    let loads = Measured::of(repeat(&load)?);
    let rss_bytes = (before, host::peak_rss());
    let device_bytes = memory::peak(device)?;

    let read = || Ok(checkpoint.read_through()?);
    let reads = Measured::of(repeat(&read)?);
    let (files, bytes) = (checkpoint.files().count(), checkpoint.size_bytes());
    let bus = bus(device)?;
    Ok(Loading { files, bytes, first_seconds, loads, rss_bytes, device_bytes, reads, bus })
}

fn forget(checkpoint: &Checkpoint) -> Result<(), LoadBenchError> {
    checkpoint.files().try_for_each(|path| {
        host::forget(path)
            .map_err(|source| LoadBenchError::Remembered { path: path.to_owned(), source })
    })
}

fn bus(device: &Device) -> candle_core::Result<Option<f64>> {
    let Some(upload) = Upload::new(device) else { return Ok(None) };
    let copy = || upload.tensor(&[BUS_BYTES], DType::U8, |_, _| Ok(()), |error| error).map(drop);
    let copies = Measured::new(device, 5, copy)?;
    Ok(Some(BUS_BYTES as f64 / (copies.fastest_ms() / 1e3)))
}
