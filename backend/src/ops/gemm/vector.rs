//! A register of f32: what the kernel of a matrix product is written in.
#![expect(unsafe_code, reason = "instructions that not every processor has, on raw pointers")]
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

/// Several f32 that one instruction works on.
///
/// # Safety
///
/// Each function may be called only where the processor has the instructions, and on pointers to
/// `LANES` valid elements.
pub(super) trait Vector: Copy {
    const LANES: usize;
    /// Rows of a tile: with two columns of registers they fill the register file.
    const ROWS: usize;

    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// `self * by + plus`.
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self;
    unsafe fn mul(self, by: Self) -> Self;
}

/// What the compiler makes of it: NEON on ARM, SSE2 on an old PC.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 4]);

impl Vector for Portable {
    const LANES: usize = 4;
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            // On x86 this runs only where there is no such instruction: a function call each.
            if cfg!(target_arch = "x86_64") {
                self.0[lane] * by.0[lane] + plus.0[lane]
            } else {
                self.0[lane].mul_add(by.0[lane], plus.0[lane])
            }
        }))
    }

    #[inline(always)]
    unsafe fn mul(self, by: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] * by.0[lane]))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps,
        _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_ps,
        _mm512_storeu_ps,
    };

    use super::Vector;

    macro_rules! vector {
        ($register:ty, $lanes:literal, $rows:literal,
         $splat:ident, $load:ident, $store:ident, $mul_add:ident, $mul:ident) => {
            impl Vector for $register {
                const LANES: usize = $lanes;
                const ROWS: usize = $rows;

                #[inline(always)]
                unsafe fn splat(x: f32) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $splat(x) }
                }

                #[inline(always)]
                unsafe fn load(from: *const f32) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $load(from) }
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut f32) {
                    // SAFETY: the caller's promise.
                    unsafe { $store(to, self) }
                }

                #[inline(always)]
                unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $mul_add(self, by, plus) }
                }

                #[inline(always)]
                unsafe fn mul(self, by: Self) -> Self {
                    // SAFETY: the caller's promise.
                    unsafe { $mul(self, by) }
                }
            }
        };
    }

    vector!(
        __m512,
        16,
        12,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_mul_ps
    );
    vector!(
        __m256,
        8,
        6,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_mul_ps
    );
}
