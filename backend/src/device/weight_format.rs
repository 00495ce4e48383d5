//! What frozen weights are kept in.

use std::str::FromStr;

use candle_core::{DType, Device};

use super::DeviceError;
use crate::ops::Quantization;

/// What frozen weights are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightFormat {
    /// What is computed with, and what embedding, biases and norms are kept in.
    pub dtype: DType,
    /// Of the matrices of the blocks, where they are kept in few bits and made numbers again where they are multiplied.
    pub quantization: Option<Quantization>,
}

impl WeightFormat {
    pub const F32: Self = Self { dtype: DType::F32, quantization: None };
    pub const F16: Self = Self { dtype: DType::F16, quantization: None };
    pub const BF16: Self = Self { dtype: DType::BF16, quantization: None };

    /// As `wanted`, else f16 on a GPU, as the published ones are, and f32 on the processor. There few bits are made f32.
    pub fn new(wanted: Option<Self>, device: &Device) -> Result<Self, DeviceError> {
        match wanted {
            None if device.is_cpu() => Ok(Self::F32),
            None => Ok(Self::F16),
            Some(format) if !device.is_cpu() => Ok(format),
            Some(Self { dtype, quantization: None }) if dtype != DType::F32 => {
                Err(DeviceError::NotOnCpu(dtype))
            }
            Some(format) => Ok(Self { dtype: DType::F32, ..format }),
        }
    }

    /// As it is written on a command line: what the matrices of the blocks are kept in.
    pub fn name(self) -> &'static str {
        self.quantization.map_or(self.dtype.as_str(), Quantization::name)
    }
}

impl From<DType> for WeightFormat {
    fn from(dtype: DType) -> Self {
        Self { dtype, quantization: None }
    }
}

/// As on a GPU.
impl From<Quantization> for WeightFormat {
    fn from(form: Quantization) -> Self {
        Self { dtype: DType::F16, quantization: Some(form) }
    }
}

impl FromStr for WeightFormat {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let in_few_bits = Quantization::ALL.map(Self::from);
        let mut known = [Self::F32, Self::F16, Self::BF16].into_iter().chain(in_few_bits);
        known
            .find(|format| format.name() == name)
            .ok_or_else(|| DeviceError::UnknownFormat(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["f32", "f16", "bf16", "int8", "int4", "q8_0", "q4_0"] {
            assert_eq!(name.parse::<WeightFormat>().unwrap().name(), name);
        }
        let error = "int3".parse::<WeightFormat>().unwrap_err().to_string();
        assert!(error.contains("\"int3\": wanted f32"), "{error}");
    }

    #[test]
    fn the_processor_computes_in_f32() {
        let on_cpu = |wanted| WeightFormat::new(wanted, &Device::Cpu);

        assert_eq!(on_cpu(None).unwrap(), WeightFormat::F32);
        let few_bits = on_cpu(Some(Quantization::Int4.into())).unwrap();
        assert_eq!((few_bits.dtype, few_bits.name()), (DType::F32, "int4"));
        let error = on_cpu(Some(WeightFormat::BF16)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "weights of BF16 are for a GPU: the processor computes in f32"
        );
    }
}
