//! What frozen weights are kept in, and how many bytes that is.

use std::str::FromStr;

use candle_core::DType;

use super::Workload;
use crate::{
    chatglm::{ChatGlmConfig, ParameterCount},
    device::WeightFormat,
    lora::Target,
    ops::Quantization,
};

/// What the matrices of the blocks are kept in. In few bits they are made numbers of f16 again where they are multiplied;
/// embedding, biases and norms are f16 then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightsIn {
    F32,
    F16,
    Bf16,
    /// A scale a row.
    Int8,
    /// A scale a row.
    Int4,
    /// A scale for 32 numbers.
    Q8_0,
    /// A scale for 32 numbers.
    Q4_0,
}

/// A name that weights are not kept in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("weights in {found:?}: wanted f32, f16, bf16, int8, int4, q8_0 or q4_0")]
pub struct UnknownWeights {
    pub found: String,
}

/// Bytes of a scale.
const SCALE: usize = 2;

impl WeightsIn {
    const ALL: [(&'static str, Self); 7] = [
        ("f32", Self::F32),
        ("f16", Self::F16),
        ("bf16", Self::Bf16),
        ("int8", Self::Int8),
        ("int4", Self::Int4),
        ("q8_0", Self::Q8_0),
        ("q4_0", Self::Q4_0),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }

    /// What a format keeps the matrices of the blocks in.
    pub fn of(format: WeightFormat) -> Self {
        match (format.quantization, format.dtype) {
            (Some(Quantization::Int8), _) => Self::Int8,
            (Some(Quantization::Int4), _) => Self::Int4,
            (Some(Quantization::Q8_0), _) => Self::Q8_0,
            (Some(Quantization::Q4_0), _) => Self::Q4_0,
            (None, DType::F16) => Self::F16,
            (None, DType::BF16) => Self::Bf16,
            (None, _) => Self::F32,
        }
    }

    /// What is computed with, where that is said, and how the matrices of the blocks are kept.
    pub fn format(self) -> (Option<DType>, Option<Quantization>) {
        match self {
            Self::F32 => (Some(DType::F32), None),
            Self::F16 => (Some(DType::F16), None),
            Self::Bf16 => (Some(DType::BF16), None),
            Self::Int8 => (None, Some(Quantization::Int8)),
            Self::Int4 => (None, Some(Quantization::Int4)),
            Self::Q8_0 => (None, Some(Quantization::Q8_0)),
            Self::Q4_0 => (None, Some(Quantization::Q4_0)),
        }
    }

    /// Of a number that is computed with.
    pub(super) fn computed_bytes(self) -> usize {
        if self == Self::F32 { 4 } else { 2 }
    }

    pub(super) fn is_quantized(self) -> bool {
        self.format().1.is_some()
    }

    /// Of a matrix `[out, in]` of a block.
    pub(super) fn matrix_bytes(self, (n_out, n_in): (usize, usize)) -> usize {
        let numbers = n_out * n_in;
        match self.format() {
            (_, None) => numbers * self.computed_bytes(),
            (_, Some(form)) => numbers * form.bits() / 8 + numbers / form.block(n_in) * SCALE,
        }
    }
}

impl FromStr for WeightsIn {
    type Err = UnknownWeights;

    fn from_str(name: &str) -> Result<Self, UnknownWeights> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, it)| *it).ok_or_else(|| UnknownWeights { found: name.to_owned() })
    }
}

/// `(out, in)` of the matrices of a block.
pub(super) fn matrices(config: &ChatGlmConfig) -> [(usize, usize); 4] {
    Target::ALL.map(|target| target.shape(config))
}

/// Of the whole model.
pub(super) fn model_bytes(workload: &Workload) -> usize {
    let Workload { config, weights, .. } = workload;
    let (mut numbers, mut bytes) = (0, 0);
    for shape in matrices(config) {
        numbers += config.num_layers * shape.0 * shape.1;
        bytes += config.num_layers * weights.matrix_bytes(shape);
    }
    let others = ParameterCount::of_model(config).total as usize - numbers;
    bytes + others * weights.computed_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (name, weights) in WeightsIn::ALL {
            assert_eq!((name.parse(), weights.name()), (Ok(weights), name));
        }
        let error = "int3".parse::<WeightsIn>().unwrap_err();
        assert!(error.to_string().contains("\"int3\": wanted f32"), "{error}");
    }

    #[test]
    fn few_bits_are_few_bytes_and_their_scales() {
        for (weights, bytes) in [
            (WeightsIn::F32, 64 * 96 * 4),
            (WeightsIn::Bf16, 64 * 96 * 2),
            (WeightsIn::Int8, 64 * 96 + 64 * 2),
            (WeightsIn::Int4, 64 * 96 / 2 + 64 * 2),
            (WeightsIn::Q8_0, 64 * 3 * 34),
            (WeightsIn::Q4_0, 64 * 3 * 18),
        ] {
            assert_eq!(weights.matrix_bytes((64, 96)), bytes, "{weights:?}");
        }
    }
}
