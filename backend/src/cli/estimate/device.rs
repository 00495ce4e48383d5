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
    /// Measured elsewhere: it need not be here.
    Known(KnownGpu),
}

/// A GPU whose rates are published in `docs/performance.md`.
#[derive(Clone, Copy, Debug)]
pub(super) enum KnownGpu {
    H100,
    H200,
}

impl KnownGpu {
    fn name(self) -> &'static str {
        match self {
            Self::H100 => "h100",
            Self::H200 => "h200",
        }
    }

    fn rates(self) -> Rates {
        match self {
            Self::H100 => Rates::H100,
            Self::H200 => Rates::H200,
        }
    }
}

/// Where the device is.
pub(super) enum Found {
    Here(Device),
    Elsewhere(KnownGpu),
}

/// A device as it is opened, and what a model is in there.
pub(super) struct Place {
    pub(super) found: Found,
    pub(super) processor: Processor,
    pub(super) weights: WeightFormat,
}

impl FromStr for DeviceArg {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "h100" => Ok(Self::Known(KnownGpu::H100)),
            "h200" => Ok(Self::Known(KnownGpu::H200)),
            _ => name.parse().map(Self::Here).map_err(|error| format!("{error}; or h100, h200")),
        }
    }
}

impl DeviceArg {
    pub(super) fn open(self, wanted: Option<WeightFormat>) -> anyhow::Result<Place> {
        let found = match self {
            Self::Known(gpu) => Found::Elsewhere(gpu),
            Self::Here(name) => Found::Here(name.open()?),
        };
        let threads = rayon::current_num_threads();
        if !matches!(&found, Found::Here(Device::Cpu)) {
            let weights = wanted.unwrap_or(WeightFormat::F16);
            return Ok(Place { found, processor: Processor::Gpu, weights });
        }
        let weights = wanted.unwrap_or(WeightFormat::F32);
        ensure!(
            weights == WeightFormat::F32,
            "weights in {} are estimated for a GPU: the processor computes in f32",
            weights.name()
        );
        Ok(Place { found, processor: Processor::Cpu { threads }, weights })
    }
}

impl Place {
    pub(super) fn name(&self) -> String {
        match &self.found {
            Found::Here(device) => name_of(device),
            Found::Elsewhere(gpu) => gpu.name().to_owned(),
        }
    }

    /// Measured here and now, or the published ones.
    pub(super) fn rates(&self) -> anyhow::Result<Rates> {
        match &self.found {
            Found::Here(device) => Ok(bench::rates(device, self.weights.dtype, REPEATS)?),
            Found::Elsewhere(gpu) => Ok(gpu.rates()),
        }
    }
}
