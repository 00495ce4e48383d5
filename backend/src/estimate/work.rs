//! What a model must compute and move, however it is done: what a measured time is held against.

use super::{
    Learning, Workload,
    lengths::passes,
    time::{ATTENTION_BACKWARD, ATTENTION_FORWARD, OPTIMIZER_BYTES, RanksAtOnce, passed_numbers},
    weights::{matrices, matrix_bytes},
};
use crate::{chatglm::ChatGlmConfig, device::WeightFormat, lora::Target};

/// Operations and bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Floating-point operations of matrix products and attention, an addition and a multiplication counting as two.
    pub operations: f64,
    /// Bytes read and written.
    pub bytes: f64,
}

impl Work {
    /// Of a step. Blocks that are computed again in the backward count once: that is a way, not the work.
    pub fn of_step(workload: &Workload) -> Self {
        let Workload { config, weights, .. } = workload;
        let learns_all = workload.learning == Learning::Everything;
        // Forward, back to the input, and where the weight learns, to the weight.
        let products = if learns_all { 3.0 } else { 2.0 };
        let layers = config.num_layers as f64;
        let head = (config.vocab_size * config.hidden_size) as f64;
        let matrices = matrices(config);
        let numbers: f64 = matrices.iter().map(|&(n_out, n_in)| (n_out * n_in) as f64).sum();
        let kept: f64 = matrices.iter().map(|&shape| matrix_bytes(*weights, shape) as f64).sum();
        let adapters: f64 = Target::ALL.iter().map(|&it| adapter_numbers(workload, it)).sum();
        let (forward, backward) = passed_numbers(workload, RanksAtOnce::ALL);

        let (mut operations, mut bytes) = (0.0, 0.0);
        for (pass, share) in passes(workload) {
            let tokens = pass.tokens as f64;
            let pairs = pass.pairs as f64 * pass.visible;
            let attention = (ATTENTION_FORWARD + ATTENTION_BACKWARD) * pairs;
            // An adapter has all three products.
            let block = tokens * (2.0 * products * numbers + 6.0 * adapters);
            let scores = 2.0 * products * head * pass.label_rows as f64;
            let attention = attention * config.hidden_size as f64;
            operations += share * (layers * (block + attention) + scores);

            let passed = tokens * (forward + backward) * weights.dtype.size_in_bytes() as f64;
            let head = products * head * weights.dtype.size_in_bytes() as f64;
            bytes += share * (layers * (products * kept + passed) + head);
        }
        let passes = workload.accumulation as f64;
        let learned = workload.learning.numbers(config) as f64 * OPTIMIZER_BYTES;
        Self { operations: operations * passes, bytes: bytes * passes + learned }
    }

    /// Of a token that is decoded alone: every weight is read, and keys and values of the `context` tokens before it.
    pub fn of_token(config: &ChatGlmConfig, weights: WeightFormat, context: usize) -> Self {
        let layers = config.num_layers as f64;
        let head = (config.vocab_size * config.hidden_size) as f64;
        let read = (context * config.hidden_size) as f64;
        let (mut operations, mut bytes) = (2.0 * head, head * weights.dtype.size_in_bytes() as f64);
        for shape in matrices(config) {
            operations += layers * 2.0 * (shape.0 * shape.1) as f64;
            bytes += layers * matrix_bytes(weights, shape) as f64;
        }
        operations += layers * ATTENTION_FORWARD * read;
        bytes += layers * 2.0 * read * weights.dtype.size_in_bytes() as f64;
        Self { operations, bytes }
    }
}

/// Of the adapter of a target in one block.
pub(super) fn adapter_numbers(workload: &Workload, target: Target) -> f64 {
    let (n_out, n_in) = target.shape(workload.config);
    (workload.learning.rank(target) * (n_out + n_in)) as f64
}

#[cfg(test)]
mod tests {
    use weft_shared::training::TrainingOptions;

    use super::*;
    use crate::{
        estimate::{Processor, SampleSize},
        ops::Quantization,
    };

    #[test]
    fn a_step_of_the_full_size_is_four_operations_a_weight_and_token() {
        let config = ChatGlmConfig::of_shape(28, 4096, 32, 150_528);
        let options = TrainingOptions::default();
        let samples = [SampleSize::half_learned(512)];
        let place = (Processor::Gpu, WeightFormat::BF16);
        let workload = Workload::new(&config, place, &options, (1, &samples)).unwrap();

        let work = Work::of_step(&workload);
        let again = Work::of_step(&Workload { checkpoint: true, ..workload });

        // 28 blocks of 12 * 4096^2, forward and back, and the head for 255 rows; attention is a few percent.
        let products = 4.0 * (28.0 * 12.0 * 4096f64.powi(2) * 512.0 + 150_528.0 * 4096.0 * 255.0);
        assert!((1.0..1.05).contains(&(work.operations / products)), "{work:?}");
        assert_eq!(work, again);
    }

    #[test]
    fn a_token_reads_every_weight_once() {
        let config = ChatGlmConfig::of_shape(28, 4096, 32, 150_528);

        let half = Work::of_token(&config, WeightFormat::F16, 512);
        let few = Work::of_token(&config, Quantization::Int4.into(), 512);

        assert!((half.bytes / 12.7e9 - 1.0).abs() < 0.02, "{half:?}");
        assert!((few.bytes / 4.3e9 - 1.0).abs() < 0.02, "{few:?}");
        assert_eq!(half.operations, few.operations);
    }
}
