//! Frozen weights in few bits: whole numbers and their scales, made numbers again where they are multiplied.
//!
//! A weight of a linear layer is a [`Weight`]; ops multiply with what [`Weight::dense`] gives. On a GPU the numbers
//! live for one product: the block op asks for them again in its backward.

mod rounding;

use candle_core::{DType, Device, Result, Tensor, bail};
use half::f16;
use rayon::prelude::*;

use self::rounding::Rounding;
use super::tensors::values;

/// How a matrix is kept in whole numbers of few bits. Each is `scale * integer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantization {
    /// A scale a row, `max|w| / 127`: the reference's `quantization.py`, `QuantizedLinear`.
    Int8,
    /// A scale a row, `max|w| / 7`, by the same code.
    Int4,
    /// A scale for 32 numbers, `max|w| / 127`, as in ggml.
    Q8_0,
    /// A scale for 32 numbers, chosen so that the largest becomes -8, as in ggml.
    Q4_0,
}

impl Quantization {
    pub const ALL: [Self; 4] = [Self::Int8, Self::Int4, Self::Q8_0, Self::Q4_0];

    /// Bits of an integer.
    pub fn bits(self) -> usize {
        match self {
            Self::Int8 | Self::Q8_0 => 8,
            Self::Int4 | Self::Q4_0 => 4,
        }
    }

    /// Neighbours in a row of `columns` that have one scale.
    pub fn block(self, columns: usize) -> usize {
        match self {
            Self::Int8 | Self::Int4 => columns,
            Self::Q8_0 | Self::Q4_0 => 32,
        }
    }

    /// As it is written on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int4 => "int4",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
        }
    }
}

/// A matrix in whole numbers.
#[derive(Clone, Debug)]
pub struct QuantizedWeight {
    form: Quantization,
    /// `[out, in]` signed bytes, or `[out, in / 2]` of two signed 4-bit numbers each, the first in the high half.
    integers: Tensor,
    /// f16 `[out, in / block]`
    scales: Tensor,
    /// What [`QuantizedWeight::dequantize`] gives.
    dtype: DType,
}

impl QuantizedWeight {
    /// From integers (u8, as their bits are) and scales that are there already.
    pub fn new(
        form: Quantization,
        integers: Tensor,
        scales: &Tensor,
        dtype: DType,
    ) -> Result<Self> {
        let (outputs, bytes) = integers.dims2()?;
        let inputs = bytes * 8 / form.bits();
        check_columns(form, inputs)?;
        let blocks = inputs / form.block(inputs);
        if scales.elem_count() != outputs * blocks {
            bail!("{} of {outputs}x{inputs} and scales {:?}", form.name(), scales.shape());
        }
        let scales = scales.reshape((outputs, blocks))?.to_dtype(DType::F16)?;
        Ok(Self { form, integers, scales, dtype })
    }

    /// Rounds `weight` `[out, in]`, where it is.
    pub fn quantize(weight: &Tensor, form: Quantization) -> Result<Self> {
        let (_, inputs) = weight.dims2()?;
        check_columns(form, inputs)?;
        let (integers, scales) = match weight.device() {
            Device::Cpu => quantize(weight, form)?,
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => super::cuda::quantize(weight, form)?,
            other => bail!("no quantization on {:?}", other.location()),
        };
        Self::new(form, integers, &scales, weight.dtype())
    }

    /// `[out, in]`, made anew each time.
    pub fn dequantize(&self) -> Result<Tensor> {
        match self.integers.device() {
            Device::Cpu => dequantize(self),
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => super::cuda::dequantize(self),
            other => bail!("no quantization on {:?}", other.location()),
        }
    }

    pub fn form(&self) -> Quantization {
        self.form
    }

    /// u8: signed bytes `[out, in]`, or `[out, in / 2]` of two 4-bit numbers each, the first in the high half.
    pub fn integers(&self) -> &Tensor {
        &self.integers
    }

    /// f16 `[out, blocks]`
    pub fn scales(&self) -> &Tensor {
        &self.scales
    }

    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Outputs and inputs.
    pub fn dims2(&self) -> Result<(usize, usize)> {
        let (outputs, bytes) = self.integers.dims2()?;
        Ok((outputs, bytes * 8 / self.form.bits()))
    }
}

/// The matrix of a linear layer, `[out, in]`.
#[derive(Clone, Debug)]
pub enum Weight {
    Dense(Tensor),
    Quantized(QuantizedWeight),
}

impl Weight {
    /// `dense` as it is, or rounded where it is.
    pub fn new(dense: Tensor, form: Option<Quantization>) -> Result<Self> {
        match form {
            Some(form) => QuantizedWeight::quantize(&dense, form).map(Self::Quantized),
            None => Ok(Self::Dense(dense)),
        }
    }

    /// Numbers to multiply with: those that are kept, or made anew.
    pub fn dense(&self) -> Result<Tensor> {
        match self {
            Self::Dense(weight) => Ok(weight.clone()),
            Self::Quantized(weight) => weight.dequantize(),
        }
    }

    /// The form of few bits that it is kept in, if it is.
    pub fn form(&self) -> Option<Quantization> {
        match self {
            Self::Dense(_) => None,
            Self::Quantized(weight) => Some(weight.form()),
        }
    }

    /// What [`Weight::dense`] gives.
    pub fn dtype(&self) -> DType {
        match self {
            Self::Dense(weight) => weight.dtype(),
            Self::Quantized(weight) => weight.dtype(),
        }
    }

    /// Outputs and inputs.
    pub fn dims2(&self) -> Result<(usize, usize)> {
        match self {
            Self::Dense(weight) => weight.dims2(),
            Self::Quantized(weight) => weight.dims2(),
        }
    }
}

fn check_columns(form: Quantization, inputs: usize) -> Result<()> {
    // A kernel takes eight numbers at a time.
    let step = form.block(8).max(8);
    if !inputs.is_multiple_of(step) {
        bail!("{} of rows of {inputs}: wanted a multiple of {step}", form.name());
    }
    Ok(())
}

/// Integers and scales of a matrix on the processor.
fn quantize(weight: &Tensor, form: Quantization) -> Result<(Tensor, Tensor)> {
    let (outputs, inputs) = weight.dims2()?;
    let dense = weight.to_dtype(DType::F32)?.contiguous()?;
    let values = values(&dense)?;
    let (block, bits) = (form.block(inputs), form.bits());
    let mut integers = vec![0u8; values.len() * bits / 8];
    let mut scales = vec![f16::ZERO; values.len() / block];
    values
        .par_chunks(block)
        .zip(integers.par_chunks_mut(block * bits / 8))
        .zip(scales.par_iter_mut())
        .for_each(|((values, integers), scale)| {
            let rounding = Rounding::of(form, values);
            *scale = rounding.scale;
            if bits == 8 {
                for (integer, &value) in integers.iter_mut().zip(values) {
                    *integer = rounding.integer(value).cast_unsigned();
                }
            } else {
                for (two, values) in integers.iter_mut().zip(values.chunks_exact(2)) {
                    let [high, low] = [values[0], values[1]].map(|value| rounding.integer(value));
                    *two = (high.cast_unsigned() << 4) | (low.cast_unsigned() & 0xf);
                }
            }
        });
    let integers = Tensor::from_vec(integers, (outputs, inputs * bits / 8), &Device::Cpu)?;
    let scales = Tensor::from_vec(scales, (outputs, inputs / block), &Device::Cpu)?;
    Ok((integers, scales))
}

fn dequantize(weight: &QuantizedWeight) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let block = weight.form.block(inputs);
    let integers = weight.integers.flatten_all()?.to_vec1::<u8>()?;
    let scales = weight.scales.flatten_all()?.to_vec1::<f16>()?;
    let mut values = vec![0f32; outputs * inputs];
    values
        .par_chunks_mut(block)
        .zip(integers.par_chunks(block * weight.form.bits() / 8))
        .zip(scales)
        .for_each(|((values, integers), scale)| {
            let scale = scale.to_f32();
            if weight.form.bits() == 8 {
                for (value, integer) in values.iter_mut().zip(integers) {
                    *value = scale * f32::from(integer.cast_signed());
                }
            } else {
                for (values, two) in values.chunks_exact_mut(2).zip(integers) {
                    values[0] = scale * f32::from(two.cast_signed() >> 4);
                    values[1] = scale * f32::from((two << 4).cast_signed() >> 4);
                }
            }
        });
    Tensor::from_vec(values, (outputs, inputs), &Device::Cpu)?.to_dtype(weight.dtype)
}
