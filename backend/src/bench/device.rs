//! How fast a device multiplies and copies: a large matrix product and a large copy, through candle's own ops.

use candle_core::{DType, Device, Result, Tensor};

use super::Measured;
use crate::estimate::Rates;

/// Side of the matrices, and numbers of the copy.
fn sizes(device: &Device) -> (usize, usize) {
    if device.is_cuda() { (8192, 1 << 27) } else { (512, 1 << 22) }
}

/// Measures for a moment, in numbers of `dtype`; the best of `repeats` counts, since others may use the device too.
pub fn rates(device: &Device, dtype: DType, repeats: usize) -> Result<Rates> {
    let (side, numbers) = sizes(device);
    // Equal numbers would be multiplied faster: they take less power.
    let matrix = Tensor::rand(-1f32, 1f32, (side, side), device)?.to_dtype(dtype)?;
    let product = Measured::new(device, repeats, || matrix.matmul(&matrix).map(drop))?;
    let values = Tensor::full(0.5f32, numbers, device)?.to_dtype(dtype)?;
    let copy = Measured::new(device, repeats, || values.copy().map(drop))?;

    let operations = 2.0 * (side as f64).powi(3);
    let bytes = (2 * numbers * dtype.size_in_bytes()) as f64;
    Ok(Rates {
        matmul_flops: operations / (product.fastest_ms() / 1e3),
        copy_bytes: bytes / (copy.fastest_ms() / 1e3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_multiplies_and_copies() {
        let rates = rates(&Device::Cpu, DType::F32, 1).unwrap();

        assert!(rates.matmul_flops > 1e8 && rates.matmul_flops.is_finite(), "{rates:?}");
        assert!(rates.copy_bytes > 1e7 && rates.copy_bytes.is_finite(), "{rates:?}");
    }
}
