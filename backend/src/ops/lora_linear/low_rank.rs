//! Products with a side as short as an adapter's rank, for which tiles are too large.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use crate::ops::gemm::{Matrix, MatrixMut};
use crate::ops::simd::{dot, versions};

/// Columns that are combined at once: they stay in registers.
const COLUMNS: usize = 32;

versions! {
    /// `to[i] = x · (row i of rows)`.
    pub(super) fn dots(x: &[f32], rows: &[f32], to: &mut [f32]) = dots_lanes
}

#[inline(always)]
fn dots_lanes(x: &[f32], rows: &[f32], to: &mut [f32]) {
    for (row, to) in rows.chunks_exact(x.len()).zip(to) {
        *to = dot(x, row);
    }
}

versions! {
    /// `to[i] += low · (row i of rows)`, of rows as short as a rank.
    pub(super) fn add_dots(low: &[f32], rows: &[f32], to: &mut [f32]) = add_dots_lanes
}

#[inline(always)]
fn add_dots_lanes(low: &[f32], rows: &[f32], to: &mut [f32]) {
    for (row, to) in rows.chunks_exact(low.len()).zip(to) {
        *to = row.iter().zip(low).fold(*to, |sum, (b, low)| b.mul_add(*low, sum));
    }
}

/// Adds to each row of `piece` the rows of `of` from `column` on, each times a number of `low`.
pub(super) fn combinations(low: &[f32], of: Matrix, column: usize, piece: &mut MatrixMut) {
    for (i, low) in low.chunks_exact(of.rows()).take(piece.rows()).enumerate() {
        add_combination(low, of, column, piece.row_mut(i));
    }
}

versions! {
    /// `to += low · of`, of the columns from `column` on.
    pub(super) fn add_combination(
        low: &[f32],
        of: Matrix,
        column: usize,
        to: &mut [f32],
    ) = add_combination_lanes
}

#[inline(always)]
fn add_combination_lanes(low: &[f32], of: Matrix, column: usize, to: &mut [f32]) {
    let (chunks, tail) = to.as_chunks_mut::<COLUMNS>();
    let mut at = column;
    for to in chunks {
        let mut sums = *to;
        for (i, low) in low.iter().enumerate() {
            for (sum, x) in sums.iter_mut().zip(&of.row(i)[at..at + COLUMNS]) {
                *sum = low.mul_add(*x, *sum);
            }
        }
        *to = sums;
        at += COLUMNS;
    }
    for (i, low) in low.iter().enumerate() {
        for (to, x) in tail.iter_mut().zip(&of.row(i)[at..]) {
            *to = low.mul_add(*x, *to);
        }
    }
}
