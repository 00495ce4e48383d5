//! Samples of several lengths as the padded batches that they become.

use weft_shared::sample::Sample;

use super::Workload;

/// How long a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleSize {
    pub tokens: usize,
    /// Of the prompt, which sees itself whole.
    pub context: usize,
    /// Tokens with a label.
    pub learned: usize,
}

impl SampleSize {
    /// A sample of `tokens`, the second half of it an answer, as `weft bench train` makes them.
    pub fn half_learned(tokens: usize) -> Self {
        let context = tokens / 2;
        Self { tokens, context, learned: tokens - context - 1 }
    }
}

impl From<&Sample> for SampleSize {
    fn from(sample: &Sample) -> Self {
        let (tokens, context) = (sample.len(), sample.context_length);
        Self { tokens, context, learned: sample.learned() }
    }
}

/// A padded batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pass {
    pub(super) batch: usize,
    pub(super) seq: usize,
    /// Positions that each may read, of `seq` squared.
    pub(super) visible: f64,
    pub(super) label_rows: usize,
}

impl Pass {
    pub(super) fn tokens(&self) -> usize {
        self.batch * self.seq
    }
}

/// The batch that takes most memory: all of the longest samples, and as many labels as a batch can have.
pub(super) fn largest(workload: &Workload) -> Pass {
    let batch = batch(workload);
    let mut learned: Vec<usize> = workload.samples.iter().map(|it| it.learned).collect();
    learned.sort_unstable_by_key(|&learned| std::cmp::Reverse(learned));
    Pass {
        batch,
        seq: workload.samples.iter().map(|it| it.tokens).max().unwrap_or(0),
        visible: visible(workload.samples),
        label_rows: learned.iter().take(batch).sum(),
    }
}

/// The batches that a run consists of, each with its share.
///
/// A batch is as long as its longest sample: of `n` sorted samples the one at `i` is the longest of a random batch of
/// `k` with the chance `((i + 1) / n)^k - (i / n)^k`.
pub(super) fn passes(workload: &Workload) -> Vec<(Pass, f64)> {
    let batch = batch(workload);
    let mut lengths: Vec<usize> = workload.samples.iter().map(|it| it.tokens).collect();
    lengths.sort_unstable();
    let drawn = if workload.grouped { 1 } else { batch };
    let samples = lengths.len() as f64;
    let chance_below = |index: usize| (index as f64 / samples).powi(drawn as i32);

    let learned: usize = workload.samples.iter().map(|it| it.learned).sum();
    let label_rows = (learned * batch).div_ceil(lengths.len().max(1));
    let visible = visible(workload.samples);
    let mut first = 0;
    lengths
        .chunk_by(|one, other| one == other)
        .map(|equal| {
            let end = first + equal.len();
            let share = chance_below(end) - chance_below(first);
            first = end;
            (Pass { batch, seq: equal[0], visible, label_rows }, share)
        })
        .collect()
}

fn batch(workload: &Workload) -> usize {
    workload.batch.min(workload.samples.len())
}

/// The share of pairs of positions of which the first may read the second, over all samples.
fn visible(samples: &[SampleSize]) -> f64 {
    let (mut seen, mut all) = (0.0, 0.0);
    for &SampleSize { tokens, context, .. } in samples {
        let (tokens, answer) = (tokens as f64, tokens.saturating_sub(context) as f64);
        seen += tokens * context as f64 + answer * answer / 2.0;
        all += tokens * tokens;
    }
    if all > 0.0 { seen / all } else { 0.0 }
}
