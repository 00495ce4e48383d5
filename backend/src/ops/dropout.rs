//! Dropout whose mask is a function of a seed and an element's index, so that no mask is kept:
//! the backward, a resumed run and a GPU make the same one again.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use candle_core::{DType, Device, Result, Tensor};

use super::parallel;
use super::simd::versions;

/// Which elements become zero; the others are divided by `1 - p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Share of the elements that become zero, in [0, 1).
    pub p: f32,
    /// Another seed, another mask: give each use in each step its own.
    pub seed: u64,
}

impl Dropout {
    /// What the kept elements are multiplied by.
    pub(super) fn scale(self) -> f32 {
        1.0 / (1.0 - self.p)
    }

    /// Elements whose hash is below this become zero.
    #[expect(clippy::cast_sign_loss, reason = "a share is not negative")]
    fn threshold(self) -> u32 {
        (f64::from(self.p) * 2f64.powi(32)) as u32
    }

    /// `out[i] = x[i]` dropped out; element i of `x` has index `first + i`.
    pub(super) fn apply(self, first: usize, x: &[f32], out: &mut [f32]) {
        each_run(first, out.len(), |index, run| {
            let keys = Keys::new(self.seed, index);
            keep(&x[run.clone()], &mut out[run], index as u32, keys, self.rule());
        });
    }

    /// `out[i] += d[i]` dropped out: the way back.
    pub(super) fn add(self, first: usize, d: &[f32], out: &mut [f32]) {
        each_run(first, out.len(), |index, run| {
            let keys = Keys::new(self.seed, index);
            add_kept(&d[run.clone()], &mut out[run], index as u32, keys, self.rule());
        });
    }

    /// The words that the kernels of a GPU make the same mask from: keys, threshold and scale. For tensors of fewer than
    /// 2^32 elements.
    #[cfg(feature = "cuda")]
    pub(super) fn kernel_rule(self) -> ([u32; 2], u32, f32) {
        let Keys(first, second) = Keys::new(self.seed, 0);
        ([first, second], self.threshold(), self.scale())
    }

    fn rule(self) -> Rule {
        Rule { threshold: self.threshold(), scale: self.scale() }
    }

    /// The mask as a tensor of factors, 0 or `1 / (1 - p)`, for forms that are not fused.
    pub(super) fn mask(self, shape: &[usize], device: &Device, dtype: DType) -> Result<Tensor> {
        let mut mask = vec![0.0; shape.iter().product()];
        let ones = vec![1.0; mask.len()];
        parallel::blocks(&mut mask, 1, parallel::ELEMENTWISE, |start, mask| {
            self.apply(start, &ones[..mask.len()], mask);
        });
        Tensor::from_vec(mask, shape, device)?.to_dtype(dtype)
    }
}

/// Elements whose hash is below the threshold are dropped, the others scaled.
#[derive(Clone, Copy)]
struct Rule {
    threshold: u32,
    scale: f32,
}

impl Rule {
    #[inline(always)]
    fn factor(self, keys: Keys, index: u32) -> f32 {
        if keys.hash(index) >= self.threshold { self.scale } else { 0.0 }
    }
}

versions! {
    fn keep(x: &[f32], out: &mut [f32], first: u32, keys: Keys, rule: Rule) = keep_lanes
}

#[inline(always)]
fn keep_lanes(x: &[f32], out: &mut [f32], first: u32, keys: Keys, rule: Rule) {
    for (i, (out, x)) in out.iter_mut().zip(x).enumerate() {
        *out = x * rule.factor(keys, first.wrapping_add(i as u32));
    }
}

versions! {
    fn add_kept(x: &[f32], out: &mut [f32], first: u32, keys: Keys, rule: Rule) = add_kept_lanes
}

#[inline(always)]
fn add_kept_lanes(x: &[f32], out: &mut [f32], first: u32, keys: Keys, rule: Rule) {
    for (i, (out, x)) in out.iter_mut().zip(x).enumerate() {
        *out = x.mul_add(rule.factor(keys, first.wrapping_add(i as u32)), *out);
    }
}

/// The two words that make the hash of a run of 2^32 elements its own.
#[derive(Clone, Copy)]
struct Keys(u32, u32);

impl Keys {
    /// Keys of the run that holds element `index` (splitmix64 of seed and run).
    fn new(seed: u64, index: usize) -> Self {
        let run = (index as u64) >> 32;
        let mut z = seed ^ run.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        Self(z as u32, (z >> 32) as u32)
    }

    /// Two keyed rounds of a 32-bit finalizer: vectors of 32-bit integers are all it needs.
    #[inline(always)]
    fn hash(self, index: u32) -> u32 {
        mix(mix(index ^ self.0) ^ self.1)
    }
}

#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// Calls `work(index, range)` for the parts of `len` elements from `first` on that lie in one run.
fn each_run(first: usize, len: usize, mut work: impl FnMut(usize, std::ops::Range<usize>)) {
    let mut at = 0;
    while at < len {
        let left_in_run = (1u64 << 32) - ((first + at) as u64 & 0xffff_ffff);
        let end = len.min(at + left_in_run as usize);
        work(first + at, at..end);
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(p: f32, seed: u64, first: usize, len: usize) -> Vec<f32> {
        let mut out = vec![0.0; len];
        Dropout { p, seed }.apply(first, &vec![1.0; len], &mut out);
        out
    }

    #[test]
    fn the_share_of_zeros_is_p_and_the_mean_stays() {
        for (p, seed) in [(0.1, 1), (0.5, 2), (0.9, 3)] {
            let out = dropped(p, seed, 0, 1 << 20);

            let zeros = out.iter().filter(|&&x| x == 0.0).count() as f32 / out.len() as f32;
            let mean = out.iter().map(|&x| f64::from(x)).sum::<f64>() / out.len() as f64;

            assert!((zeros - p).abs() < 0.003, "{zeros} for {p}");
            assert!((mean - 1.0).abs() < 0.02, "{mean} for {p}");
        }
    }

    #[test]
    fn a_mask_depends_on_seed_and_index_alone() {
        let whole = dropped(0.3, 7, 0, 1000);

        assert_eq!(whole, dropped(0.3, 7, 0, 1000));
        assert_eq!(whole[123..], dropped(0.3, 7, 123, 877));
        assert_ne!(whole, dropped(0.3, 8, 0, 1000));
        assert!(dropped(0.0, 9, 0, 1000).iter().all(|&x| (x - 1.0).abs() < 1e-9));
    }

    #[test]
    fn neighbours_do_not_agree_more_than_chance() {
        let out = dropped(0.5, 11, 0, 1 << 18);
        for distance in [1, 2, 16, 256, 4096] {
            let same = out
                .iter()
                .zip(&out[distance..])
                .filter(|(a, b)| a.to_bits() == b.to_bits())
                .count();
            let share = same as f64 / (out.len() - distance) as f64;
            assert!((share - 0.5).abs() < 0.01, "{share} at distance {distance}");
        }
    }
}
