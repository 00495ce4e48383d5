//! Where a model is computed, and in which numbers.

use std::{fmt, str::FromStr};

use candle_core::{DType, Device, DeviceLocation};

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// The first GPU if this program can use one, else the processor.
    Auto,
    Cpu,
    /// An NVIDIA GPU by number.
    Cuda(usize),
}

/// Why a device or its numbers cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("no device {0:?}: wanted auto, cpu, cuda, or cuda:N for the GPU numbered N")]
    UnknownDevice(String),
    #[error(
        "{0} was asked for, and this program was built without GPU support: build it with `--features cuda`, or \
         choose the device cpu"
    )]
    NotBuilt(DeviceName),
    #[error("{name} cannot be used; choose another device, or cpu")]
    Unusable {
        name: DeviceName,
        #[source]
        source: candle_core::Error,
    },
    #[error("weights of {0:?} are for a GPU: the processor computes in f32")]
    NotOnCpu(DType),
}

impl DeviceName {
    /// Opens the device. A GPU is set up for one stream of work: memory goes back to its pool, not to the driver.
    pub fn open(self) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(ordinal) => open_cuda(self, ordinal),
            Self::Auto => Ok(open_cuda(self, 0).unwrap_or_else(|error| {
                if let DeviceError::Unusable { source, .. } = error {
                    tracing::info!("no GPU can be used ({source}); computing on the processor");
                }
                Device::Cpu
            })),
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(name: DeviceName, _: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt(name))
}

#[cfg(feature = "cuda")]
fn open_cuda(name: DeviceName, ordinal: usize) -> Result<Device, DeviceError> {
    let open = || -> candle_core::Result<Device> {
        let device = Device::new_cuda_with_stream(ordinal)?;
        crate::ops::memory::keep(&device)?;
        Ok(device)
    };
    open().map_err(|source| DeviceError::Unusable { name, source })
}

/// What frozen weights are kept in: as `wanted`, else f16 on a GPU, as the published ones are, and f32 on the processor.
pub fn weights_dtype(wanted: Option<DType>, device: &Device) -> Result<DType, DeviceError> {
    match wanted {
        Some(dtype) if device.is_cpu() && dtype != DType::F32 => Err(DeviceError::NotOnCpu(dtype)),
        Some(dtype) => Ok(dtype),
        None if device.is_cpu() => Ok(DType::F32),
        None => Ok(DType::F16),
    }
}

/// `cpu`, `cuda:0`, …
pub fn name_of(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => "cpu".to_owned(),
        DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

impl FromStr for DeviceName {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::UnknownDevice(name.to_owned());
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let ordinal = name.strip_prefix("cuda:").ok_or_else(unknown)?;
                ordinal.parse().map(Self::Cuda).map_err(|_| unknown())
            }
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["auto", "cpu", "cuda:3"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert_eq!("cuda".parse::<DeviceName>().unwrap(), DeviceName::Cuda(0));
        assert!("gpu".parse::<DeviceName>().unwrap_err().to_string().contains("cuda:N"));
        assert!("cuda:x".parse::<DeviceName>().is_err());
    }

    #[test]
    fn the_processor_computes_in_f32() {
        assert_eq!(weights_dtype(None, &Device::Cpu).unwrap(), DType::F32);
        let error = weights_dtype(Some(DType::BF16), &Device::Cpu).unwrap_err();
        assert_eq!(
            error.to_string(),
            "weights of BF16 are for a GPU: the processor computes in f32"
        );
    }
}
