//! What every measurement of a model says: its shape, the device, and how often.

use anyhow::Context as _;
use candle_core::Device;
use serde_json::{Value, json};

use super::add_rates;
use crate::{
    bench::{self, Shape},
    chatglm::ChatGlm,
    cli::{common::ComputeArgs, shape::ModelShape},
    device::WeightFormat,
    estimate::Rates,
};

/// Measurements of the device's rates, of which the best counts.
const RATE_REPEATS: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    compute: ComputeArgs,
    /// Sizes by name: chatglm-6b, mini, embedded, or `LAYERSxHIDDENxHEADSxVOCAB`.
    #[arg(long, value_name = "NAME", default_value = "chatglm-6b")]
    shape: ModelShape,
    /// Instead of the shape's.
    #[arg(long)]
    layers: Option<usize>,
    /// Instead of the shape's.
    #[arg(long)]
    hidden: Option<usize>,
    /// Instead of the shape's.
    #[arg(long)]
    heads: Option<usize>,
    /// Instead of the shape's.
    #[arg(long)]
    vocab: Option<usize>,
    /// Says what is always so: no weights are fetched.
    #[arg(long)]
    random_weights: bool,
    /// Measurements, of which the median and the fastest and slowest are printed.
    #[arg(long, default_value_t = 9)]
    pub(super) repeats: usize,
    /// Threads to compute with; all cores unless given.
    #[arg(long)]
    threads: Option<usize>,
}

/// A device, and the report's head.
pub(super) struct Opened {
    pub(super) shape: Shape,
    pub(super) device: Device,
    pub(super) format: WeightFormat,
    pub(super) head: Value,
}

impl Common {
    pub(super) fn open(&self) -> anyhow::Result<Opened> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
        }
        let shape = self.shape()?;
        let (device, format) = self.compute.open()?;
        let Shape { layers, hidden, heads, vocab } = shape;
        let head = json!({
            "device": format!("{:?}", device.location()),
            "weft": env!("CARGO_PKG_VERSION"),
            "dtype": format.name(),
            "threads": rayon::current_num_threads(),
            "layers": layers,
            "hidden": hidden,
            "heads": heads,
            "vocab": vocab,
            "repeats": self.repeats,
        });
        Ok(Opened { shape, device, format, head })
    }

    fn shape(&self) -> anyhow::Result<Shape> {
        let ModelShape(named) = self.shape;
        let shape = Shape {
            layers: self.layers.unwrap_or(named.layers),
            hidden: self.hidden.unwrap_or(named.hidden),
            heads: self.heads.unwrap_or(named.heads),
            vocab: self.vocab.unwrap_or(named.vocab),
        };
        let ModelShape(shape) = ModelShape::check(shape).with_context(|| {
            format!("{shape:?} cannot be: heads divide the hidden size into multiples of 4")
        })?;
        Ok(shape)
    }
}

impl Opened {
    /// A model of random weights, the report's head, and the rates of the device, which are in it.
    pub(super) fn model_and_rates(&self) -> anyhow::Result<(ChatGlm, Value, Rates)> {
        let rates = bench::rates(&self.device, self.format.dtype, RATE_REPEATS)?;
        let mut report = self.head.clone();
        add_rates(&mut report, rates);
        Ok((self.shape.random(&self.device, self.format)?, report, rates))
    }
}
