//! The time of a step: products at the rate of products, passes over hidden states at the rate of copies, and what
//! starting them takes.

use weft_shared::api::estimate::TimeEstimate;

use super::{
    Learning, Processor, Rates, Workload,
    lengths::{Pass, passes},
    rates::Shares,
    weights::{matrices, matrix_bytes},
    work::adapter_numbers,
};
use crate::{lora::Target, ops::gpu_loss_rows};

/// Bytes that pass for each score on a GPU: written and read as f32, its gradient written and read in half of that.
const BYTES_A_SCORE: f64 = 12.0;
/// Operations of attention for each visible pair and number of the model: two products forward, five backward.
pub(super) const ATTENTION_FORWARD: f64 = 4.0;
pub(super) const ATTENTION_BACKWARD: f64 = 10.0;
/// Kernels of a block without adapters. An adapter has one more forward, to turn B, and for each time that they pass two, and
/// three backward.
const LAUNCHES_FORWARD: f64 = 10.0;
const LAUNCHES_BACKWARD: f64 = 16.0;
/// On a GPU.
const RANKS: RanksAtOnce = RanksAtOnce { most: 32, of_b: 16 };
/// Bytes that the optimizer moves for each number that learns: four are read and three written.
pub(super) const OPTIMIZER_BYTES: f64 = 28.0;

pub(super) fn time(workload: &Workload, rates: Rates) -> TimeEstimate {
    let clock = Clock { workload, rates, shares: Shares::of(workload.processor) };
    let pass: f64 = passes(workload).iter().map(|(pass, share)| share * clock.pass(pass)).sum();
    let learned = workload.learning.numbers(workload.config) as f64;
    let step_seconds =
        pass * workload.accumulation as f64 + learned * OPTIMIZER_BYTES / rates.copy_bytes;
    let total_seconds = step_seconds * workload.steps as f64;
    TimeEstimate { step_seconds, total_seconds, is_measured: false }
}

struct Clock<'a> {
    workload: &'a Workload<'a>,
    rates: Rates,
    shares: Shares,
}

impl Clock<'_> {
    /// Seconds of a forward and backward.
    fn pass(&self, pass: &Pass) -> f64 {
        self.workload.config.num_layers as f64 * self.block(pass) + self.loss(pass)
    }

    fn block(&self, pass: &Pass) -> f64 {
        let Workload { config, weights, .. } = self.workload;
        let learns_all = self.workload.learning == Learning::Everything;
        let forwards = if self.workload.is_checkpointed() { 2.0 } else { 1.0 };
        // To the input, and where the weight learns, to the weight.
        let backwards = if learns_all { 2.0 } else { 1.0 };

        let mut seconds = 0.0;
        for (target, shape) in Target::ALL.into_iter().zip(matrices(config)) {
            // A block that is computed again stops before its last product.
            let forwards = if target == Target::Dense4hToH { 1.0 } else { forwards };
            seconds += (forwards + backwards) * self.product(pass.tokens, shape);
            if weights.quantization.is_some() {
                let written = shape.0 * shape.1 * weights.dtype.size_in_bytes();
                let moved = (matrix_bytes(*weights, shape) + written) as f64;
                seconds += (forwards + 1.0) * moved / self.rates.copy_bytes;
            }
        }
        let pairs = pass.pairs as f64 * pass.visible;
        let operations = forwards * ATTENTION_FORWARD + ATTENTION_BACKWARD;
        let attention = operations * pairs * config.hidden_size as f64;
        let rate = self.rates.matmul_flops * self.shares.attention;
        seconds += attention / rate
            * (1.0 + self.shares.attention_half * pass.tokens as f64 / pass.pairs as f64);

        let at_once = match self.workload.processor {
            Processor::Gpu => RANKS,
            Processor::Cpu { .. } => RanksAtOnce::ALL,
        };
        let (forward, backward) = passed_numbers(self.workload, at_once);
        let passed = (forwards * forward + backward) * pass.tokens as f64;
        let bytes = passed * weights.dtype.size_in_bytes() as f64;
        seconds += bytes / (self.rates.copy_bytes * self.shares.elementwise);
        // Forward two products of an adapter, down and up; backward four.
        let numbers: f64 = Target::ALL.map(|it| adapter_numbers(self.workload, it)).iter().sum();
        let operations = (2.0 * forwards + 4.0) * numbers * pass.tokens as f64;
        seconds += operations / (self.rates.matmul_flops * self.shares.adapters);
        let ranks = Target::ALL.map(|target| self.workload.learning.rank(target));
        let adapters = ranks.into_iter().filter(|&rank| rank > 0);
        let (of_forward, of_backward) =
            adapters.fold((LAUNCHES_FORWARD, LAUNCHES_BACKWARD), |(forward, backward), rank| {
                let (passes, of_b) = RANKS.passes(rank);
                (forward + (1 + 2 * passes) as f64, backward + (2 * passes + of_b) as f64)
            });
        let launches = forwards * of_forward + of_backward;
        seconds + launches * self.shares.launch_seconds
    }

    /// A weight `[out, in]` with `rows`: computed, or waiting for the weight.
    fn product(&self, rows: usize, (n_out, n_in): (usize, usize)) -> f64 {
        if rows == 0 {
            return 0.0;
        }
        let (rows, numbers) = (rows as f64, (n_out * n_in) as f64);
        let computing = 2.0 * numbers * rows / self.rates.matmul_flops;
        let bytes = numbers * self.workload.weights.dtype.size_in_bytes() as f64;
        let reading = bytes / (self.rates.copy_bytes * self.shares.weight_reads);
        (computing * (1.0 + self.shares.half_rows / rows)).max(reading)
    }

    /// Scores over the vocabulary and back, of the positions that have a label.
    fn loss(&self, pass: &Pass) -> f64 {
        let config = self.workload.config;
        let rows = pass.label_rows;
        let (chunks, bytes_a_score) = match self.workload.processor {
            Processor::Gpu => {
                (rows.div_ceil(gpu_loss_rows(config.vocab_size)).max(1), BYTES_A_SCORE)
            }
            // Scores stay in the cache.
            Processor::Cpu { .. } => (1, 0.0),
        };
        let products = if self.workload.learning == Learning::Everything { 3.0 } else { 2.0 };
        let head = (config.vocab_size, config.hidden_size);
        let chunk = self.product(rows.div_ceil(chunks), head);
        let scores = (rows * config.vocab_size) as f64 * bytes_a_score;
        chunks as f64 * products * chunk + scores / self.rates.copy_bytes
    }
}

/// How many ranks a pass of an adapter takes; for more, what it reads and writes is read and written again.
#[derive(Clone, Copy, Debug)]
pub(super) struct RanksAtOnce {
    most: usize,
    /// The one that finds B's gradient.
    of_b: usize,
}

impl RanksAtOnce {
    pub(super) const ALL: Self = Self { most: usize::MAX, of_b: usize::MAX };

    /// That `rank` ranks take; the second is of B's gradient.
    fn passes(self, rank: usize) -> (usize, usize) {
        (rank.div_ceil(self.most), rank.div_ceil(self.of_b))
    }
}

/// Numbers that passes over hidden states read and write for each token of a block, forward and backward.
///
/// Forward: two norms (4 hidden sizes), turned queries and keys (4), two residuals (2). Backward: two norms (6), what was
/// read and its gradient (2), turning back (4); GELU's input and its gradient, there and back (3 inner sizes). An adapter
/// reads its input and adds to its output; in the backward it reads both again, and adds to its input's gradient.
pub(super) fn passed_numbers(workload: &Workload, at_once: RanksAtOnce) -> (f64, f64) {
    let config = workload.config;
    let mut forward = 10 * config.hidden_size;
    let mut backward = 12 * config.hidden_size + 3 * config.inner_hidden_size;
    for target in Target::ALL {
        let (passes, of_b) = at_once.passes(workload.learning.rank(target));
        let (n_out, n_in) = target.shape(config);
        forward += passes * (n_in + 2 * n_out);
        backward += passes * 3 * n_in + of_b * n_out;
    }
    (forward as f64, backward as f64)
}
