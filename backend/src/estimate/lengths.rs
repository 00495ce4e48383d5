//! Samples of several lengths as the batches that they become.

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

/// A batch: samples one after another, without padding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pass {
    pub(super) tokens: usize,
    /// The sum of the samples' squared lengths: pairs of positions of one sample.
    pub(super) pairs: usize,
    /// The share of these of which the first may read the second.
    pub(super) visible: f64,
    pub(super) label_rows: usize,
}

impl Pass {
    const NONE: Self = Self { tokens: 0, pairs: 0, visible: 0.0, label_rows: 0 };

    fn and(self, other: Self) -> Self {
        let pairs = self.pairs + other.pairs;
        let seen = self.visible * self.pairs as f64 + other.visible * other.pairs as f64;
        Self {
            tokens: self.tokens + other.tokens,
            pairs,
            visible: if pairs > 0 { seen / pairs as f64 } else { 0.0 },
            label_rows: self.label_rows + other.label_rows,
        }
    }
}

/// The batch that takes most memory: of the longest samples, and as many labels as a batch can have.
pub(super) fn largest(workload: &Workload) -> Pass {
    let largest = |samples: &[SampleSize], batch: usize| {
        let most = |of: fn(&SampleSize) -> usize| {
            let mut sizes: Vec<usize> = samples.iter().map(of).collect();
            sizes.sort_unstable_by_key(|&size| std::cmp::Reverse(size));
            sizes.truncate(batch);
            sizes
        };
        let lengths = most(|it| it.tokens);
        Pass {
            tokens: lengths.iter().sum(),
            pairs: lengths.iter().map(|it| it * it).sum(),
            visible: visible(samples),
            label_rows: most(|it| it.learned).iter().sum(),
        }
    };
    let learned = largest(workload.samples, workload.batch);
    learned.and(largest(workload.rehearsal, workload.rehearsal_batch))
}

/// The batches that a run consists of, each with its share: of one sample, as long as it is; of several, of the mean.
pub(super) fn passes(workload: &Workload) -> Vec<(Pass, f64)> {
    let rehearsed = mean(workload.rehearsal, workload.rehearsal_batch);
    if workload.batch > 1 {
        return vec![(mean(workload.samples, workload.batch).and(rehearsed), 1.0)];
    }
    let samples = workload.samples.len().max(1) as f64;
    let mut sizes = workload.samples.to_vec();
    sizes.sort_unstable_by_key(|it| it.tokens);
    sizes
        .chunk_by(|one, other| one.tokens == other.tokens)
        .map(|equal| (mean(equal, 1).and(rehearsed), equal.len() as f64 / samples))
        .collect()
}

/// A batch of `batch` random samples, on average.
fn mean(samples: &[SampleSize], batch: usize) -> Pass {
    let batch = batch.min(samples.len());
    if batch == 0 {
        return Pass::NONE;
    }
    let mean = |of: fn(&SampleSize) -> usize| {
        (samples.iter().map(of).sum::<usize>() * batch).div_ceil(samples.len())
    };
    Pass {
        tokens: mean(|it| it.tokens),
        pairs: mean(|it| it.tokens * it.tokens),
        visible: visible(samples),
        label_rows: mean(|it| it.learned),
    }
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
