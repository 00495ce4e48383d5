//! How tokens are picked, from the command line.

use crate::generation::SamplingOptions;

/// The defaults are the reference's.
#[derive(Debug, clap::Args)]
pub(super) struct SamplingArgs {
    /// Always the likeliest token.
    #[arg(long)]
    greedy: bool,
    /// Below 1 sharper, above 1 flatter.
    #[arg(long, default_value_t = SamplingOptions::default().temperature)]
    temperature: f32,
    /// The likeliest tokens whose probabilities reach this sum.
    #[arg(long, default_value_t = SamplingOptions::default().top_p)]
    top_p: f32,
    /// The so many likeliest tokens; 0 keeps all.
    #[arg(long, default_value_t = SamplingOptions::default().top_k)]
    top_k: usize,
    /// Above 1 makes repeated tokens less likely.
    #[arg(long, default_value_t = SamplingOptions::default().repetition_penalty)]
    repetition_penalty: f32,
    /// Two runs with one seed give the same answer.
    #[arg(long, default_value_t = SamplingOptions::default().seed)]
    seed: u64,
}

impl SamplingArgs {
    pub(super) fn options(&self) -> SamplingOptions {
        let &Self { greedy, temperature, top_p, top_k, repetition_penalty, seed } = self;
        SamplingOptions { greedy, temperature, top_p, top_k, repetition_penalty, seed }
    }
}
