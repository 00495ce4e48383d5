//! The ops on a GPU against the same on the processor in f32, values and gradients, at odd sizes.
//!
//! Weights are rounded to the GPU's type first, so that both compute with the same numbers: what is left is what the
//! arithmetic rounds. The bounds are a few units of the type's last place, of the largest value.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed setup is a failed test")]

mod chats;
mod curve;
mod decode;
mod full;
mod loading;
mod model;
mod ops;
mod optimizer;
mod parallel;
mod run;

use candle_core::{DType, Device, Tensor};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft::device::DeviceName;

/// The GPU: without one these tests fail.
fn gpu() -> &'static Device {
    static GPU: std::sync::LazyLock<Device> =
        std::sync::LazyLock::new(|| DeviceName::Cuda(None).open().expect("a GPU"));
    &GPU
}

/// The types that the kernels compute in, and how far each may be off.
const TYPES: [(DType, f32); 2] = [(DType::F16, 4e-3), (DType::BF16, 3e-2)];

/// Numbers between -1 and 1 that `dtype` holds exactly, f32 on the processor.
fn random(seed: u64, shape: &[usize], dtype: DType) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    let values = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
    values.to_dtype(dtype).unwrap().to_dtype(DType::F32).unwrap()
}

fn on_gpu(x: &Tensor, dtype: DType) -> Tensor {
    x.to_dtype(dtype).unwrap().to_device(gpu()).unwrap()
}

/// Fails unless `found` is `wanted` up to `bound` of its largest value.
fn assert_near(what: &str, found: &Tensor, wanted: &Tensor, bound: f32) {
    assert_eq!(found.dims(), wanted.dims(), "{what}");
    let values = |x: &Tensor| -> Vec<f32> {
        let x = x.to_device(&Device::Cpu).unwrap().to_dtype(DType::F32).unwrap();
        x.flatten_all().unwrap().to_vec1().unwrap()
    };
    let (found, wanted) = (values(found), values(wanted));
    assert!(found.iter().all(|x| x.is_finite()), "{what}: not finite");
    let largest = wanted.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    let apart = found.iter().zip(&wanted).fold(0f32, |most, (a, b)| most.max((a - b).abs()));
    let off = apart / largest.max(1e-6);
    eprintln!("{what}: {off:.1e} of {largest:.2e}");
    assert!(off < bound, "{what}: {off} of the largest value {largest}, wanted below {bound}");
}
