//! Reading in pieces on several threads: what comes out, and what is told meanwhile.

use std::{
    collections::HashMap,
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use candle_core::{DType, Device, Tensor};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft::{
    checkpoint::{Checkpoint, LoadProgress, Loader},
    model_dir::ModelDir,
};

use crate::mini;

/// Sizes about those of a piece, which is 2^20 numbers, and far from it.
const SIZES: [usize; 5] = [1, 7, (1 << 20) - 1, 1 << 20, (3 << 20) + 5];
const TYPES: [DType; 4] = [DType::F16, DType::BF16, DType::F32, DType::F64];

#[test]
fn pieces_together_are_the_whole_in_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut stored = HashMap::new();
    for (size, dtype) in SIZES.into_iter().flat_map(|size| TYPES.map(|dtype| (size, dtype))) {
        let values: Vec<f32> = (0..size).map(|_| rng.random_range(-2.0..2.0)).collect();
        let tensor = Tensor::new(values, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        stored.insert(format!("{size}-{}", dtype.as_str()), tensor);
    }
    candle_core::safetensors::save(&stored, folder.path().join("model.safetensors")).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let loader = Loader::new(&checkpoint, &Device::Cpu, stored.keys(), &|_| ());

    for (name, tensor) in &stored {
        for dtype in TYPES {
            let found = loader.tensor(name, tensor.dims(), dtype).unwrap();

            let wanted = tensor.to_dtype(dtype).unwrap();
            let same = found.eq(&wanted).unwrap().min_all().unwrap().to_scalar::<u8>().unwrap();
            assert_eq!((found.dtype(), same), (dtype, 1), "{name} as {dtype:?}");
        }
    }
}

#[test]
fn whoever_waits_is_told_every_byte_up_to_the_last() {
    let told = Mutex::new(Vec::new());
    let watch = |progress: LoadProgress| told.lock().unwrap().push(progress);

    ModelDir::open(&mini()).unwrap().load_watched(DType::F32, &Device::Cpu, &watch).unwrap();

    let told = told.into_inner().unwrap();
    let last = told.iter().map(|it| it.done_bytes).max().unwrap();
    let checkpoint = Checkpoint::open(&mini()).unwrap();
    // The files hold the embedding twice, and headers.
    assert!(told.iter().all(|it| it.total_bytes == last && it.done_bytes <= last));
    assert!(last > 0 && last < checkpoint.size_bytes(), "{last} of {}", checkpoint.size_bytes());
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    let tensor = Tensor::zeros(SIZES[4], DType::F16, &Device::Cpu).unwrap();
    candle_core::safetensors::save(&HashMap::from([("a", tensor)]), &file).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let pieces = AtomicUsize::new(0);
    let watch = |_| {
        pieces.fetch_add(1, Ordering::Relaxed);
    };
    let loader = Loader::new(&checkpoint, &Device::Cpu, ["a"], &watch);

    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(1 << 19).unwrap();
    let error = loader.tensor("a", &[SIZES[4]], DType::F32).unwrap_err().to_string();

    assert!(error.contains("cannot read") && error.contains("model.safetensors"), "{error}");
    assert!(pieces.into_inner() < 4);
}
