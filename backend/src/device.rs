//! Where a model is computed, in which numbers, and how much memory there is.

pub mod memory;
mod weight_format;

use std::{fmt, str::FromStr, sync::OnceLock};

use candle_core::{DType, Device, DeviceLocation};

pub use self::weight_format::WeightFormat;

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// The first GPU if this program can use one, else the processor.
    Auto,
    Cpu,
    /// An NVIDIA GPU by number; without one the first, or of several processes each its own.
    Cuda(Option<usize>),
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
    #[error("{name} cannot be used: {reason}; `--device cpu` computes on the processor")]
    Unusable { name: DeviceName, reason: String },
    #[error("weights in {0:?}: wanted f32, f16, bf16, int8, int4, q8_0 or q4_0")]
    UnknownFormat(String),
    #[error("weights of {0:?} are for a GPU: the processor computes in f32")]
    NotOnCpu(DType),
}

/// Why no GPU is used, if one could have been.
static WHY_NO_GPU: OnceLock<String> = OnceLock::new();

/// Why this program, asked to use a GPU if it can, computes on the processor; `None` where it does not, or has no GPU
/// engine.
pub fn why_no_gpu() -> Option<&'static str> {
    WHY_NO_GPU.get().map(String::as_str)
}

impl DeviceName {
    /// Opens the device. A GPU is set up for one stream of work: memory goes back to its pool, not to the driver.
    pub fn open(self) -> Result<Device, DeviceError> {
        self.open_for(0)
    }

    /// The same for one of several processes on this machine: where no GPU is named, `local_rank` is its number.
    pub fn open_for(self, local_rank: usize) -> Result<Device, DeviceError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(ordinal) => {
                let ordinal = ordinal.unwrap_or(local_rank);
                open_cuda(Self::Cuda(Some(ordinal)), ordinal)
            }
            Self::Auto => Ok(open_cuda(self, local_rank).unwrap_or_else(|error| {
                if let DeviceError::Unusable { reason, .. } = error {
                    tracing::info!("no GPU can be used: {reason}; computing on the processor");
                    WHY_NO_GPU.get_or_init(|| reason);
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
    open().map_err(|error| DeviceError::Unusable { name, reason: reason(&error) })
}

/// The driver's own sentence where it is the driver that fails, for example which library is missing.
#[cfg(feature = "cuda")]
fn reason(error: &candle_core::Error) -> String {
    use candle_core::cuda_backend::CudaError;

    match error {
        candle_core::Error::WithBacktrace { inner, .. } => reason(inner),
        candle_core::Error::Cuda(cuda) => match cuda.downcast_ref() {
            Some(CudaError::Cuda(driver)) => driver
                .error_string()
                .map_or_else(|_| error.to_string(), |text| text.to_string_lossy().into_owned()),
            _ => error.to_string(),
        },
        _ => error.to_string(),
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
            "cuda" => Ok(Self::Cuda(None)),
            _ => {
                let ordinal = name.strip_prefix("cuda:").ok_or_else(unknown)?;
                ordinal.parse().map(|it| Self::Cuda(Some(it))).map_err(|_| unknown())
            }
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(None) => f.write_str("cuda"),
            Self::Cuda(Some(ordinal)) => write!(f, "cuda:{ordinal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["auto", "cpu", "cuda", "cuda:3"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert_eq!("cuda:3".parse::<DeviceName>().unwrap(), DeviceName::Cuda(Some(3)));
        assert!("gpu".parse::<DeviceName>().unwrap_err().to_string().contains("cuda:N"));
        assert!("cuda:x".parse::<DeviceName>().is_err());
    }
}
