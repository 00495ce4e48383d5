//! An estimate as a text to read, or as JSON.

use std::fmt::{Display, Formatter, Result};

use serde_json::{Value, json};
use weft_shared::{
    api::estimate::{Estimate, MemoryEstimate},
    bytes::Bytes,
};

use crate::estimate::{Rates, SampleSize, Workload};

pub(super) struct Report<'a> {
    pub(super) device: String,
    pub(super) workload: &'a Workload<'a>,
    pub(super) rates: Rates,
    pub(super) estimate: Estimate,
}

impl Report<'_> {
    pub(super) fn as_json(&self) -> Value {
        let Workload { config, weights, batch, steps, samples, rehearsal, .. } = self.workload;
        json!({
            "device": self.device,
            "weights": weights.name(),
            "checkpoint": self.workload.checkpoint,
            "layers": config.num_layers,
            "hidden": config.hidden_size,
            "heads": config.num_attention_heads,
            "vocab": config.vocab_size,
            "samples": samples.len(),
            "longest_sample": longest(samples),
            "batch": batch,
            "rehearsed": self.rehearsed(),
            "longest_rehearsed": longest(rehearsal),
            "total_steps": steps,
            "memory": self.estimate.memory,
            "time": self.estimate.time,
            "matmul_tflop_s": self.rates.matmul_flops / 1e12,
            "copy_gb_s": self.rates.copy_bytes / 1e9,
        })
    }

    /// Samples of a pass that are rehearsed.
    fn rehearsed(&self) -> usize {
        self.workload.rehearsal_batch.min(self.workload.rehearsal.len())
    }
}

/// Tokens.
fn longest(samples: &[SampleSize]) -> usize {
    samples.iter().map(|it| it.tokens).max().unwrap_or(0)
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter) -> Result {
        let Workload { config, weights, batch, steps, samples, rehearsal, .. } = self.workload;
        let Rates { matmul_flops, copy_bytes } = self.rates;
        writeln!(
            f,
            "model       {} layers, {} wide, {} tokens, in {}",
            config.num_layers,
            config.hidden_size,
            config.vocab_size,
            weights.name()
        )?;
        writeln!(
            f,
            "device      {}: {:.3} TFLOP/s of matrix products, {:.1} GB/s of copies",
            self.device,
            matmul_flops / 1e12,
            copy_bytes / 1e9
        )?;
        writeln!(f, "batch       {batch} x {} tokens at most", longest(samples))?;
        if !rehearsal.is_empty() {
            let (rehearsed, longest) = (self.rehearsed(), longest(rehearsal));
            writeln!(f, "rehearsed   {rehearsed} x {longest} tokens at most")?;
        }

        let MemoryEstimate {
            peak_bytes,
            weights_bytes,
            learned_bytes,
            gradients_bytes,
            kept_bytes,
            loss_bytes,
            scratch_bytes,
        } = self.estimate.memory;
        writeln!(f, "memory      {} at most", Bytes(peak_bytes))?;
        for (name, bytes) in [
            ("weights", weights_bytes),
            ("what learns, and the optimizer", learned_bytes),
            ("gradients", gradients_bytes),
            ("kept for the backward", kept_bytes),
            ("loss, while it is computed", loss_bytes),
            ("a block, while it is computed", scratch_bytes),
        ] {
            writeln!(f, "  {name:<30} {:>10}", Bytes(bytes).to_string())?;
        }
        writeln!(f, "steps       {steps}")?;
        if let Some(time) = self.estimate.time {
            let (step, total) = (span(time.step_seconds), span(time.total_seconds));
            writeln!(f, "time        {step} a step, {total} in all")?;
        }
        Ok(())
    }
}

fn span(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        _ if seconds < 100.0 => format!("{seconds:.1} s"),
        _ if seconds < 6000.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let spans = [0.0181, 2.5, 600.0, 9000.0].map(span);
        assert_eq!(spans, ["18.1 ms", "2.5 s", "10.0 min", "2.5 h"]);
    }
}
