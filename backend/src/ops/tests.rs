//! Every fused op against the composed one, values and gradients, at odd sizes.

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

mod attending;
mod dense;
mod quantizing;
mod slopes;

/// Numbers between -1 and 1, the same for one seed.
fn random(seed: u64, shape: &[usize]) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let len = shape.iter().product();
    let values: Vec<f32> = (0..len).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn variable(seed: u64, shape: &[usize]) -> Var {
    Var::from_tensor(&random(seed, shape)).unwrap()
}

/// A scalar whose gradient differs at every element of `y`.
fn scalar(y: &Tensor) -> Tensor {
    (y * random(99, y.dims())).unwrap().sum_all().unwrap()
}

/// The largest difference, relative to the largest value of `expected` (1 where that is smaller).
fn difference(actual: &Tensor, expected: &Tensor) -> f32 {
    assert_eq!(actual.dims(), expected.dims());
    let largest = |x: &Tensor| {
        let values = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(values.iter().all(|x| x.is_finite()), "not finite");
        values.iter().fold(0.0f32, |largest, x| largest.max(x.abs()))
    };
    largest(&(actual - expected).unwrap()) / largest(expected).max(1.0)
}

/// The gradient of `of`, which must be there.
fn gradient<'a>(gradients: &'a GradStore, of: &Tensor) -> &'a Tensor {
    gradients.get(of).expect("a gradient")
}

/// Fails unless `fused` and `composed` agree in their values and in their gradients by `variables`.
fn same(
    what: &str,
    variables: &[&Var],
    fused: impl Fn() -> Result<Tensor>,
    composed: impl Fn() -> Result<Tensor>,
) {
    let (fused, composed) = (fused().unwrap(), composed().unwrap());
    let worst = difference(&fused, &composed);
    assert!(worst < 2e-6, "{what}: values differ by {worst}");

    let (fused, composed) =
        (scalar(&fused).backward().unwrap(), scalar(&composed).backward().unwrap());
    for (i, variable) in variables.iter().enumerate() {
        let worst = difference(gradient(&fused, variable), gradient(&composed, variable));
        assert!(worst < 5e-6, "{what}: gradients by variable {i} differ by {worst}");
    }
}
