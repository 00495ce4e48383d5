//! Weights in few bits, see `kernels/quantized.cu`.

use candle_core::{DType, Result, Tensor};

use super::launch::{Arg, Fresh, Module, Threads, device_of, launch, suffix};
use crate::ops::{Quantization, QuantizedWeight};

/// `[out, in]` of numbers to multiply with.
pub(crate) fn dequantize(weight: &QuantizedWeight) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let device = device_of(weight.integers())?;
    let dense = Fresh::new((outputs, inputs), weight.dtype(), device)?;
    let kernel = if weight.form().bits() == 8 { "dequantize_8" } else { "dequantize_4" };
    launch(
        device,
        Module::Quantized,
        (kernel, suffix(weight.dtype())?),
        Threads::new(((inputs / 8).div_ceil(256), outputs, 1), 256),
        &[
            Arg::of(weight.integers())?,
            Arg::of(weight.scales())?,
            Arg::of(&dense)?,
            Arg::size(inputs),
            Arg::size(weight.form().block(inputs)),
        ],
    )?;
    Ok(dense.tensor())
}

/// Integers and scales of `weight` `[out, in]`.
pub(crate) fn quantize(weight: &Tensor, form: Quantization) -> Result<(Tensor, Tensor)> {
    let weight = weight.contiguous()?;
    let (outputs, inputs) = weight.dims2()?;
    let device = device_of(&weight)?;
    let block = form.block(inputs);
    let integers = Fresh::new((outputs, inputs * form.bits() / 8), DType::U8, device)?;
    let scales = Fresh::new((outputs, inputs / block), DType::F16, device)?;
    launch(
        device,
        Module::Quantized,
        ("quantize", suffix(weight.dtype())?),
        Threads::new((outputs * inputs / block, 1, 1), block.min(256).next_multiple_of(32)),
        &[
            Arg::of(&weight)?,
            Arg::of(&integers)?,
            Arg::of(&scales)?,
            Arg::size(block),
            Arg::size(form.bits()),
            Arg::I32(i32::from(matches!(form, Quantization::Q8_0 | Quantization::Q4_0))),
        ],
    )?;
    Ok((integers.tensor(), scales.tensor()))
}
