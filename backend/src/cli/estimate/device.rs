//! The device that is estimated for: one of this machine, or one that was measured elsewhere.

use std::str::FromStr;

use anyhow::ensure;
use candle_core::Device;

use crate::{
    bench,
    device::{DeviceName, WeightFormat, name_of},
    estimate::{Processor, Rates},
};

/// Measurements of a device's rates, of which the best counts.
const REPEATS: usize = 5;

#[derive(Clone, Copy, Debug)]
pub(super) enum DeviceArg {
    /// Found here.
    Here(DeviceName),
    /// An NVIDIA H100, which need not be here.
    H100,
}

/// A device as it is opened, and what a model is in there.
pub(super) struct Place {
    /// `None` where it is not here.
    pub(super) device: Option<Device>,
    pub(super) processor: Processor,
    pub(super) weights: WeightFormat,
}

impl FromStr for DeviceArg {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "h100" => Ok(Self::H100),
            _ => name.parse().map(Self::Here).map_err(|error| format!("{error}; or h100")),
        }
    }
}

impl DeviceArg {
    pub(super) fn open(self, wanted: Option<WeightFormat>) -> anyhow::Result<Place> {
        let device = match self {
            Self::H100 => None,
            Self::Here(name) => Some(name.open()?),
        };
        let threads = rayon::current_num_threads();
        if !device.as_ref().is_some_and(Device::is_cpu) {
            let weights = wanted.unwrap_or(WeightFormat::F16);
            return Ok(Place { device, processor: Processor::Gpu, weights });
        }
        let weights = wanted.unwrap_or(WeightFormat::F32);
        ensure!(
            weights == WeightFormat::F32,
            "weights in {} are estimated for a GPU: the processor computes in f32",
            weights.name()
        );
        Ok(Place { device, processor: Processor::Cpu { threads }, weights })
    }
}

pub(super) fn name(device: Option<&Device>) -> String {
    device.map_or_else(|| "h100".to_owned(), name_of)
}

/// Measured here and now, or the published ones.
pub(super) fn rates(device: Option<&Device>, weights: WeightFormat) -> anyhow::Result<Rates> {
    let Some(device) = device else { return Ok(Rates::H100) };
    Ok(bench::rates(device, weights.dtype, REPEATS)?)
}
