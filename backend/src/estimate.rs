//! What a run will take in memory and time, before it starts: sizes in, numbers out.
//!
//! Memory is counted from what the ops keep ([`memory`]), time from what they compute and move, over the speed of the
//! device ([`time`]). Everything that was fitted to measurements is in [`rates`].

mod lengths;
mod memory;
mod rates;
mod time;
mod weights;
mod work;

#[cfg(test)]
mod tests;

use weft_shared::{
    api::estimate::Estimate,
    training::{LoraOptions, Method, TrainingOptions},
};

pub use lengths::SampleSize;
pub use rates::Rates;
pub use weights::model_bytes;
pub use work::Work;

use crate::{
    chatglm::{ChatGlmConfig, ParameterCount},
    device::WeightFormat,
    lora::{Target, UnknownTarget},
    ops,
};

/// All that memory and time depend on.
#[derive(Clone, Debug)]
pub struct Workload<'a> {
    pub config: &'a ChatGlmConfig,
    pub processor: Processor,
    pub weights: WeightFormat,
    pub learning: Learning,
    /// Samples of one pass.
    pub batch: usize,
    /// Passes of one step.
    pub accumulation: usize,
    /// Whether each block is computed again in the backward, where the device can.
    pub checkpoint: bool,
    pub steps: usize,
    /// Of the samples that are trained on.
    pub samples: &'a [SampleSize],
    /// Of those that are rehearsed, and how many of them each pass has.
    pub rehearsal: &'a [SampleSize],
    pub rehearsal_batch: usize,
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    Cpu { threads: usize },
    Gpu,
}

/// What learns.
#[derive(Clone, Debug, PartialEq)]
pub enum Learning {
    Lora { r: usize, targets: Vec<Target>, dropout: bool },
    Everything,
}

impl Learning {
    /// As the options say, with the adapter's shape by `lora`.
    pub fn new(method: Method, lora: &LoraOptions) -> Result<Self, UnknownTarget> {
        Ok(match method {
            Method::Full => Self::Everything,
            Method::Lora => Self::Lora {
                r: lora.r,
                targets: Target::from_names(&lora.target_modules)?,
                dropout: lora.dropout > 0.0,
            },
        })
    }

    /// Rank of the update of `target`; 0 without one.
    fn rank(&self, target: Target) -> usize {
        match self {
            Self::Lora { r, targets, .. } if targets.contains(&target) => *r,
            _ => 0,
        }
    }

    fn numbers(&self, config: &ChatGlmConfig) -> u64 {
        match self {
            Self::Lora { r, targets, .. } => {
                ParameterCount::with_lora(config, *r, targets).trainable
            }
            Self::Everything => ParameterCount::of_model(config).trainable,
        }
    }
}

impl<'a> Workload<'a> {
    /// The run that `options` describe, of so many steps.
    pub fn new(
        config: &'a ChatGlmConfig,
        (processor, weights): (Processor, WeightFormat),
        options: &TrainingOptions,
        (steps, samples): (usize, &'a [SampleSize]),
    ) -> Result<Self, UnknownTarget> {
        Ok(Self {
            config,
            processor,
            weights,
            learning: Learning::new(options.method, &options.lora)?,
            batch: options.batch_size,
            accumulation: options.gradient_accumulation_steps,
            checkpoint: false,
            steps,
            samples,
            rehearsal: &[],
            rehearsal_batch: options.rehearsal_batch_size,
        })
    }

    /// Tokens of a pass, on average.
    pub fn tokens_of_a_pass(&self) -> f64 {
        let mean = |samples: &[SampleSize], batch: usize| {
            let tokens: usize = samples.iter().map(|it| it.tokens).sum();
            (tokens * batch.min(samples.len())) as f64 / samples.len().max(1) as f64
        };
        mean(self.samples, self.batch) + mean(self.rehearsal, self.rehearsal_batch)
    }

    /// Whether the blocks are one op (`ops::blocks`), which keeps little and can compute a block again.
    fn has_block_op(&self) -> bool {
        matches!(self.learning, Learning::Lora { .. })
            && self.processor == Processor::Gpu
            && self.weights.dtype.size_in_bytes() == 2
            && ops::GPU_HEADS.contains(&self.config.head_dim())
            && self.config.hidden_size.is_multiple_of(8)
    }

    fn is_checkpointed(&self) -> bool {
        self.checkpoint && self.has_block_op()
    }
}

/// Memory and, where the device's `rates` are known, time.
pub fn estimate(workload: &Workload, rates: Option<Rates>) -> Estimate {
    Estimate {
        memory: memory::memory(workload),
        time: rates.map(|rates| time::time(workload, rates)),
    }
}

/// The same where blocks are computed again only if what a run adds to the weights would be more than is `free`, as
/// `GradientCheckpointing::Auto` decides. `None` is a processor, whose ops keep what they need.
pub fn estimate_within(workload: Workload, rates: Option<Rates>, free: Option<u64>) -> Estimate {
    let kept = estimate(&workload, rates);
    let added = kept.memory.peak_bytes - kept.memory.weights_bytes;
    if free.is_none_or(|free| added <= free) {
        return kept;
    }
    estimate(&Workload { checkpoint: true, ..workload }, rates)
}
