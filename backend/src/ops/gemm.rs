//! Matrix products over plain slices, made for frozen weights that are read where they lie.
//!
//! The kernel wants the right matrix in panels and reads the left one anywhere. Of the two products
//! of a layer, `dy · W` has W on the right: its panels are copied. `x · Wᵀ` is computed as
//! `(W · xᵀ)ᵀ`, so that W is on the left and only x, the smaller of the two, is transposed, and
//! what comes out is transposed back while it is in the cache.

mod kernel;
mod matrix;
mod transpose;
mod vector;

pub(super) use kernel::PANEL;
use kernel::Product;
pub(super) use matrix::{Matrix, MatrixMut};
use transpose::{Source, transpose};

use super::parallel;
use super::scratch::Scratch;

/// Multiplications that make a piece: fewer, and handing it to a thread costs more than it.
const WORTH_A_PIECE: usize = 500_000;

/// Rows and columns of the pieces that a product is cut into for the threads.
const PIECE: usize = 128;

/// Elements of packed left matrix that leave room in the L2 cache.
const PACKED: usize = 128 * 1024;

/// Who computes a product: the calling thread, or all of the pool.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Caller,
    Pool,
}

/// What to compute: `out = keep * out + scale * left · right`; with `keep` 0, what `out` held is
/// not read.
#[derive(Clone, Copy)]
pub(super) struct Matmul<'a> {
    pub(super) keep: f32,
    pub(super) scale: f32,
    pub(super) left: Matrix<'a>,
    pub(super) right: Matrix<'a>,
}

/// `out = left · right`.
pub(super) fn matmul(out: &mut MatrixMut, left: Matrix, right: Matrix, by: By) {
    Matmul { keep: 0.0, scale: 1.0, left, right }.run(out, by, |_, _, _| {});
}

impl Matmul<'_> {
    /// Computes it, piece by piece. `finish(row, column, piece)` is called on each piece, which
    /// begins at that row and column, as soon as it is computed and while it is in the cache.
    pub(super) fn run(
        &self,
        out: &mut MatrixMut,
        by: By,
        finish: impl Fn(usize, usize, &mut MatrixMut) + Sync + Send,
    ) {
        let (rows, columns) = (out.rows(), out.columns());
        assert_eq!((rows, columns), (self.left.rows(), self.right.columns()), "sizes of a product");
        assert_eq!(self.left.columns(), self.right.rows(), "inner sizes of a product");
        if rows == 0 || columns == 0 {
            return;
        }
        let work = rows * columns * self.left.columns();
        let pieces = match by {
            By::Pool if parallel::threads() > 1 => {
                (2 * parallel::threads()).min(work.div_ceil(WORTH_A_PIECE))
            }
            _ => 1,
        };
        let (high, wide) = self.pieces(rows, columns, pieces);
        let out = &*out;
        let tasks = rows.div_ceil(high) * columns.div_ceil(wide);
        parallel::tasks(tasks, work / tasks, |task| {
            let (row, column) =
                (task % rows.div_ceil(high) * high, task / rows.div_ceil(high) * wide);
            let (rows, columns) = (high.min(rows - row), wide.min(columns - column));
            #[expect(unsafe_code, reason = "threads write disjoint parts of one matrix")]
            // SAFETY: the pieces of different tasks do not overlap.
            let mut piece = unsafe { out.part(row, rows, column, columns) };
            if self.right.column == 1 {
                self.by_panels_of_right(row, column, &mut piece);
                finish(row, column, &mut piece);
            } else {
                self.by_panels_of_left(row, column, &mut piece, &finish);
            }
        });
    }

    /// How high and wide the pieces for the threads are.
    fn pieces(&self, rows: usize, columns: usize, wanted: usize) -> (usize, usize) {
        if wanted <= 1 {
            return (rows, columns);
        }
        // Cutting rows first repeats no packing of the left, cutting columns none of the right.
        let (high, wide) = if self.right.column == 1 {
            let wide = columns.div_ceil(wanted).next_multiple_of(PANEL).min(PIECE);
            let down = wanted.div_ceil(columns.div_ceil(wide));
            (rows.div_ceil(down).max(PIECE / 2), wide)
        } else {
            let high = rows.div_ceil(wanted).next_multiple_of(PANEL).clamp(PIECE / 2, PIECE);
            let across = wanted.div_ceil(rows.div_ceil(high));
            (high, columns.div_ceil(across).next_multiple_of(12))
        };
        (high.min(rows), wide.min(columns))
    }

    /// `piece`, which begins at `row` and `column`, from a right matrix with rows in one piece.
    fn by_panels_of_right(&self, row: usize, column: usize, piece: &mut MatrixMut) {
        let (left, right) = (self.left, self.right);
        if left.columns() == 0 {
            return scale_rows(piece, self.keep);
        }
        let product = Product {
            rows: piece.rows(),
            columns: piece.columns(),
            inner: left.columns(),
            left: left.at(row, 0),
            left_row: left.row,
            left_column: left.column,
            right: right.at(0, column),
            right_row: right.row,
            right_packed: false,
            out_row: piece.row,
            out: piece.start(),
            keep: self.keep,
            scale: self.scale,
        };
        #[expect(unsafe_code, reason = "the kernel takes pointers")]
        // SAFETY: the piece and the rows and columns that it needs are inside the matrices.
        unsafe {
            product.compute();
        }
    }

    /// The same from a right matrix with columns in one piece: its transpose times the packed
    /// transpose of the left, transposed.
    fn by_panels_of_left(
        &self,
        row: usize,
        column: usize,
        piece: &mut MatrixMut,
        finish: &impl Fn(usize, usize, &mut MatrixMut),
    ) {
        let (left, right) = (self.left, self.right);
        assert_eq!(right.row, 1, "a right matrix lies in rows or in columns");
        let inner = left.columns();
        if inner == 0 {
            scale_rows(piece, self.keep);
            return finish(row, column, piece);
        }
        let rows = piece.rows().next_multiple_of(PANEL);
        let mut packed =
            Scratch::take((PACKED / inner).max(1).next_multiple_of(PANEL).min(rows) * inner);
        let mut turned = Scratch::take(PANEL * CHUNK);
        let at_once = packed.len() / inner; // rows, whole panels
        for start in (0..piece.rows()).step_by(at_once) {
            let rows = at_once.min(piece.rows() - start);
            pack_left(left, row + start, rows, &mut packed);
            for first in (0..piece.columns()).step_by(CHUNK) {
                let columns = CHUNK.min(piece.columns() - first);
                for panel in (0..rows).step_by(PANEL) {
                    let high = PANEL.min(rows - panel);
                    let product = Product {
                        rows: columns,
                        columns: high,
                        inner,
                        left: right.at(0, column + first),
                        left_row: right.column,
                        left_column: right.row,
                        right: packed[panel * inner..].as_ptr(),
                        right_row: PANEL,
                        right_packed: true,
                        out: turned.as_mut_ptr(),
                        out_row: PANEL,
                        keep: 0.0,
                        scale: self.scale,
                    };
                    #[expect(unsafe_code, reason = "the kernel takes pointers")]
                    // SAFETY: what is read is inside the matrices, `packed` holds `inner` rows of
                    // each panel, `turned` a chunk of columns by one panel, and the part of the
                    // piece is borrowed from it.
                    unsafe {
                        product.compute();
                        let mut part = piece.part(start + panel, high, first, columns);
                        self.turn_back(&turned, &mut part);
                        finish(row + start + panel, column + first, &mut part);
                    }
                }
            }
        }
    }

    /// Writes `turned` `[columns, PANEL]` to `part` `[rows, columns]`.
    fn turn_back(&self, turned: &[f32], part: &mut MatrixMut) {
        if self.keep != 0.0 {
            for row in 0..part.rows() {
                for (to, from) in
                    part.row_mut(row).iter_mut().zip(turned[row..].iter().step_by(PANEL))
                {
                    *to = self.keep * *to + from;
                }
            }
            return;
        }
        let from = Source {
            start: turned.as_ptr(),
            row: PANEL,
            rows: part.columns(),
            columns: part.rows(),
        };
        #[expect(unsafe_code, reason = "the transpose takes pointers")]
        // SAFETY: `turned` has a row of `PANEL` for each column of the part.
        unsafe {
            transpose(from, part.start(), part.row);
        }
    }
}

/// Columns of the right matrix that go through the cache at once: whole tiles of twelve.
const CHUNK: usize = 96;

/// Writes up to `PANEL` rows as the columns of a panel, `packed` `[columns, PANEL]`.
pub(super) fn panel_of_rows(rows: Matrix, packed: &mut [f32]) {
    pack_left(rows, 0, rows.rows(), packed);
}

/// Writes rows of `left` as the columns of panels, zeros behind the last.
fn pack_left(left: Matrix, row: usize, rows: usize, packed: &mut [f32]) {
    let inner = left.columns();
    for (first, panel) in (0..rows).step_by(PANEL).zip(packed.chunks_exact_mut(PANEL * inner)) {
        let high = PANEL.min(rows - first);
        if high < PANEL {
            panel.fill(0.0);
        }
        if left.column == 1 {
            let start = left.at(row + first, 0);
            let from = Source { start, row: left.row, rows: high, columns: inner };
            #[expect(unsafe_code, reason = "the transpose takes pointers")]
            // SAFETY: the rows are inside `left`, and a panel holds `inner` rows of `PANEL`.
            unsafe {
                transpose(from, panel.as_mut_ptr(), PANEL);
            }
        } else {
            for (i, to) in panel.chunks_exact_mut(PANEL).enumerate() {
                to[..high].copy_from_slice(left.transposed().row_part(i, row + first, high));
            }
        }
    }
}

/// A product over nothing.
fn scale_rows(out: &mut MatrixMut, keep: f32) {
    for row in 0..out.rows() {
        for x in out.row_mut(row) {
            *x = if keep == 0.0 { 0.0 } else { keep * *x };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that are not symmetric in their index.
    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 50.0 - 1.0).collect()
    }

    fn element(matrix: &[f32], stride: usize, transposed: bool, i: usize, j: usize) -> f64 {
        f64::from(if transposed { matrix[j * stride + i] } else { matrix[i * stride + j] })
    }

    #[test]
    fn every_layout_gives_the_sum_of_products() {
        let sizes =
            [(1, 1, 1), (7, 5, 3), (13, 33, 40), (31, 97, 64), (70, 300, 17), (200, 130, 1030)];
        for (rows, columns, inner) in sizes {
            for (left_turned, right_turned) in
                [(false, false), (false, true), (true, false), (true, true)]
            {
                let (left, right) = (numbers(rows * inner, 1), numbers(inner * columns, 2));
                let of = |values, rows, columns, turned| {
                    if turned {
                        Matrix::new(values, columns, rows).transposed()
                    } else {
                        Matrix::new(values, rows, columns)
                    }
                };
                let product = Matmul {
                    keep: 0.5,
                    scale: 2.0,
                    left: of(&left, rows, inner, left_turned),
                    right: of(&right, inner, columns, right_turned),
                };
                // Rows farther apart than they are long: what is between must stay.
                let stride = columns + 3;
                let mut out = vec![4.0f32; rows * stride];

                let finish = |_: usize, column: usize, piece: &mut MatrixMut| {
                    for row in 0..piece.rows() {
                        for (i, x) in piece.row_mut(row).iter_mut().enumerate() {
                            *x += (column + i) as f32;
                        }
                    }
                };
                product.run(
                    &mut MatrixMut::strided(&mut out, rows, columns, stride),
                    By::Pool,
                    finish,
                );

                let left_stride = if left_turned { rows } else { inner };
                let right_stride = if right_turned { inner } else { columns };
                for (at, actual) in out.iter().enumerate() {
                    let (i, j) = (at / stride, at % stride);
                    let expected = if j < columns {
                        let sum: f64 = (0..inner)
                            .map(|k| {
                                element(&left, left_stride, left_turned, i, k)
                                    * element(&right, right_stride, right_turned, k, j)
                            })
                            .sum();
                        2.0 + 2.0 * sum + j as f64
                    } else {
                        4.0
                    };
                    let error = (f64::from(*actual) - expected).abs();
                    assert!(error < 1e-3, "{rows} x {columns} x {inner}: {actual} for {expected}");
                }
            }
        }
    }
}
