//! How fast a device is, and how much of that each kind of work gets: every number of the estimate that was measured.

use super::Processor;

/// What a device does at its best, measured on it (`weft bench device`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Floating-point operations a second of a large matrix product, an addition and a multiplication counting as two.
    pub matmul_flops: f64,
    /// Bytes a second, read and written, of a large copy.
    pub copy_bytes: f64,
}

impl Rates {
    /// An NVIDIA H100 80GB HBM3, in bf16 and f16.
    pub const H100: Self = Self { matmul_flops: 790e12, copy_bytes: 3.0e12 };
    /// An NVIDIA H200, in bf16 and f16.
    pub const H200: Self = Self { matmul_flops: 780e12, copy_bytes: 3.88e12 };
}

/// The share of a device's rates that work of a kind gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    /// Rows at which a matrix product has half of its rate: the fewer, the less there is to do between two reads of
    /// the weight.
    pub(super) half_rows: f64,
    /// Of the copy's rate, at which a product of few rows reads its weight.
    pub(super) weight_reads: f64,
    /// Of the product's rate, for attention of long sequences.
    pub(super) attention: f64,
    /// Tokens of a sequence at which attention has half of that.
    pub(super) attention_half: f64,
    /// Of the copy's rate, for passes over hidden states.
    pub(super) elementwise: f64,
    /// Of the product's rate, for the products of adapters, whose masks of dropout are made again by each of them.
    pub(super) adapters: f64,
    /// From one kernel, or parallel section, to the next.
    pub(super) launch_seconds: f64,
}

/// Fitted to the first five training shapes of `docs/performance.md` (NVIDIA H200, bf16, 2026-11-29), within 1 % of each, and
/// `adapters` to the two of rank 64, within 10 %.
/// Whoever makes the kernels faster fits them anew; the tests beside this file hold them to that table.
const GPU: Shares = Shares {
    half_rows: 0.24,
    weight_reads: 0.912,
    attention: 0.535,
    attention_half: 855.0,
    elementwise: 0.695,
    adapters: 0.0485,
    launch_seconds: 2.6e-6,
};

/// For a processor that keeps what it works on in its caches. Not fitted: a dry run measures.
const CPU: Shares = Shares {
    half_rows: 8.0,
    weight_reads: 1.0,
    attention: 0.5,
    attention_half: 16.0,
    elementwise: 1.0,
    adapters: 0.5,
    launch_seconds: 10e-6,
};

impl Shares {
    pub(super) fn of(processor: Processor) -> Self {
        match processor {
            Processor::Cpu { .. } => CPU,
            Processor::Gpu => GPU,
        }
    }
}
