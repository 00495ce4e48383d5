//! Transposing a matrix from one place to another, eight by eight.
#![expect(unsafe_code, reason = "vector instructions on raw pointers")]

/// A matrix to read: element (i, j) at `start + i * row + j`.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub(super) start: *const f32,
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// Writes element (i, j) of `from` to `to + j * to_row + i`.
///
/// # Safety
///
/// Both must be valid for all these elements, and nobody may touch `to` meanwhile.
pub(super) unsafe fn transpose(from: Source, to: *mut f32, to_row: usize) {
    let (mut rows, mut columns) = (0, 0);
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        (rows, columns) = (from.rows / 8 * 8, from.columns / 8 * 8);
        // SAFETY: the instructions are there; the rest is the caller's promise.
        unsafe { whole_blocks(from, to, to_row) }
    }
    for i in 0..from.rows {
        let first = if i < rows { columns } else { 0 };
        for j in first..from.columns {
            // SAFETY: the caller's promise.
            unsafe { *to.add(j * to_row + i) = *from.start.add(i * from.row + j) }
        }
    }
}

/// The blocks of eight by eight that `from` is made of.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn whole_blocks(from: Source, to: *mut f32, to_row: usize) {
    use std::arch::x86_64::{
        _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };
    for i in (0..from.rows / 8 * 8).step_by(8) {
        for j in (0..from.columns / 8 * 8).step_by(8) {
            // SAFETY: the caller's promise.
            unsafe {
                let from_block = from.start.add(i * from.row + j);
                let rows: [_; 8] =
                    std::array::from_fn(|k| _mm256_loadu_ps(from_block.add(k * from.row)));
                let mut pairs = rows;
                for k in (0..8).step_by(2) {
                    pairs[k] = _mm256_unpacklo_ps(rows[k], rows[k + 1]);
                    pairs[k + 1] = _mm256_unpackhi_ps(rows[k], rows[k + 1]);
                }
                let mut fours = pairs;
                for k in (0..8).step_by(4) {
                    fours[k] = _mm256_shuffle_ps::<0x44>(pairs[k], pairs[k + 2]);
                    fours[k + 1] = _mm256_shuffle_ps::<0xee>(pairs[k], pairs[k + 2]);
                    fours[k + 2] = _mm256_shuffle_ps::<0x44>(pairs[k + 1], pairs[k + 3]);
                    fours[k + 3] = _mm256_shuffle_ps::<0xee>(pairs[k + 1], pairs[k + 3]);
                }
                let to_block = to.add(j * to_row + i);
                for k in 0..4 {
                    let low = _mm256_permute2f128_ps::<0x20>(fours[k], fours[k + 4]);
                    let high = _mm256_permute2f128_ps::<0x31>(fours[k], fours[k + 4]);
                    _mm256_storeu_ps(to_block.add(k * to_row), low);
                    _mm256_storeu_ps(to_block.add((k + 4) * to_row), high);
                }
            }
        }
    }
}
