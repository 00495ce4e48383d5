//! Loops over f32 that the compiler turns into the widest vectors the processor has.
//!
//! One binary runs everywhere: `versions!` compiles a function once for each instruction set and
//! picks at run time. Everything called inside must be inlined into it, hence the attribute; a
//! closure that is handed to something not inlined would fall back to the narrowest vectors.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

/// Sums are kept in this many independent lanes: two AVX-512 registers, four of AVX2.
const LANES: usize = 32;

/// `fn name(arguments) = body`: makes `name` run `body`, which must be `#[inline(always)]`,
/// compiled for the best instruction set of this processor.
macro_rules! versions {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?)
     $(-> $out:ty)? = $body:path) => {
        $(#[$doc])*
        $vis fn $name($($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
                fn avx512($($arg: $type),*) $(-> $out)? {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) $(-> $out)? {
                    $body($($arg),*)
                }
                if $crate::ops::simd::has_avx512() {
                    #[expect(unsafe_code, reason = "instructions that not every processor has")]
                    // SAFETY: this one has them.
                    return unsafe { avx512($($arg),*) };
                }
                if $crate::ops::simd::has_avx2() {
                    #[expect(unsafe_code, reason = "instructions that not every processor has")]
                    // SAFETY: this one has them.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}
pub(super) use versions;

#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx512() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
        && has_avx2()
}

#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

versions! {
    /// `y += alpha * x`.
    pub(super) fn add_scaled(y: &mut [f32], alpha: f32, x: &[f32]) = add_scaled_lanes
}

#[inline(always)]
fn add_scaled_lanes(y: &mut [f32], alpha: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = alpha.mul_add(*x, *y);
    }
}

versions! {
    /// `y += x`.
    pub(super) fn add(y: &mut [f32], x: &[f32]) = add_lanes
}

#[inline(always)]
fn add_lanes(y: &mut [f32], x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += x;
    }
}

versions! {
    /// `y *= factor`.
    pub(super) fn scale(y: &mut [f32], factor: f32) = scale_lanes
}

#[inline(always)]
fn scale_lanes(y: &mut [f32], factor: f32) {
    for y in y.iter_mut() {
        *y *= factor;
    }
}

#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    fold(values, 0.0, |sum, x| sum + x, |a, b| a + b)
}

#[inline(always)]
pub(super) fn max(values: &[f32]) -> f32 {
    fold(values, f32::NEG_INFINITY, larger, larger)
}

/// The larger of two numbers, in one instruction (`f32::max` also has to care for NaN).
#[inline(always)]
pub(super) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    sum_of(left, right, f32::mul_add)
}

/// Sums over two slices of one length; `add(l, r, sum)` adds the term of a pair to a sum.
#[inline(always)]
pub(super) fn sum_of(left: &[f32], right: &[f32], add: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (left, left_tail) = left.as_chunks::<LANES>();
    let (right, right_tail) = right.as_chunks::<LANES>();
    for (l, r) in left.iter().zip(right) {
        for lane in 0..LANES {
            lanes[lane] = add(l[lane], r[lane], lanes[lane]);
        }
    }
    let mut tail = 0.0;
    for (l, r) in left_tail.iter().zip(right_tail) {
        tail = add(*l, *r, tail);
    }
    tail + fold(&lanes, 0.0, |sum, x| sum + x, |a, b| a + b)
}

/// Folds `values` lane by lane with `step`, then the lanes with `join`.
#[inline(always)]
pub(super) fn fold(
    values: &[f32],
    start: f32,
    step: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (chunks, tail) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = step(lanes[lane], chunk[lane]);
        }
    }
    let mut state = start;
    for &x in tail {
        state = step(state, x);
    }
    // Halving keeps the joins in vectors too.
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    join(state, lanes[0])
}

/// e to the power of `x`, within 2e-7 relative; 0 below -87.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const SMALLEST: f32 = -87.3;
    const LARGEST: f32 = 88.3;
    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits of the sum.
    const ROUNDER: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;

    let clamped = if x < SMALLEST { SMALLEST } else { x };
    let clamped = if clamped > LARGEST { LARGEST } else { clamped };
    let rounded = clamped.mul_add(std::f32::consts::LOG2_E, ROUNDER);
    let n = rounded - ROUNDER;
    let r = n.mul_add(-LN_2_HIGH, clamped);
    let r = n.mul_add(-LN_2_LOW, r);

    // Minimax polynomial of (e^r - 1 - r) / r^2 on [-ln 2 / 2, ln 2 / 2] (Cephes).
    let mut p = 1.987_569_1e-4f32;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_5e-1);
    p = p.mul_add(r, 0.5);
    let near_one = p.mul_add(r * r, r) + 1.0;

    let two_to_n = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    if x < SMALLEST { 0.0 } else { near_one * two_to_n }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_a_few_ulps() {
        let mut worst = 0.0f64;
        for step in -8700..8830 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / exact - 1.0).abs());
        }
        assert!(worst < 2e-7, "{worst}");
        assert!(exp(f32::NEG_INFINITY) == 0.0 && exp(-1000.0) == 0.0 && exp(f32::NAN).is_nan());
    }

    #[test]
    fn folds_count_every_value_once() {
        for len in [0usize, 1, 15, 16, 17, 50] {
            let values: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let expected = (len * len.saturating_sub(1) / 2) as f32;

            assert!((sum(&values) - expected).abs() < 1e-3);
            assert!((dot(&values, &vec![1.0; len]) - expected).abs() < 1e-3);
        }
        assert!((max(&[-3.0, -1.0, -2.0]) + 1.0).abs() < 1e-6);
    }
}
