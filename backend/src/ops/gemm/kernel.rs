//! The innermost loops of a matrix product, on the calling thread.
//!
//! A tile of the product stays in registers: `Vector::ROWS` rows by two registers. For each step
//! along the inner axis, two registers of the right matrix are loaded and each is multiplied by
//! one broadcast element of each row of the left. The left matrix is therefore read where it lies,
//! whatever its strides; the right one must have its rows in one piece.
#![expect(unsafe_code, reason = "vector instructions on raw pointers; see `Product`")]
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use std::cell::Cell;

use super::vector::{Portable, Vector};

/// Steps along the inner axis that are taken at once: a panel of the right matrix then stays in
/// the L2 cache with room to spare.
const INNER: usize = 512;

/// Rows of a product below which copying the right matrix costs more than it saves.
const ROWS_WORTH_PACKING: usize = 40;

/// Columns of a panel in the widest vectors: what packed matrices are cut into.
pub(in crate::ops) const PANEL: usize = 32;

/// `out = keep * out + scale * left · right`.
///
/// Every pointer must be valid for the elements that the sizes and strides reach, and nobody may
/// touch `out` meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) inner: usize,
    pub(super) left: *const f32,
    pub(super) left_row: usize,
    pub(super) left_column: usize,
    pub(super) right: *const f32,
    pub(super) right_row: usize,
    /// Whether the right matrix is a panel that lies in the cache, zeros behind its columns.
    pub(super) right_packed: bool,
    pub(super) out: *mut f32,
    pub(super) out_row: usize,
    pub(super) keep: f32,
    pub(super) scale: f32,
}

impl Product {
    /// Computes it with the widest vectors of this processor.
    ///
    /// # Safety
    ///
    /// The pointers must be as the type says.
    pub(super) unsafe fn compute(&self) {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") {
                // SAFETY: the instructions are there; the rest is the caller's promise.
                return unsafe { avx512(self) };
            }
            if std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma")
            {
                // SAFETY: the instructions are there; the rest is the caller's promise.
                return unsafe { avx2(self) };
            }
        }
        // SAFETY: the caller's promise.
        unsafe { panels::<Portable>(self) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(product: &Product) {
    // SAFETY: the caller's promise.
    unsafe { panels::<std::arch::x86_64::__m512>(product) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(product: &Product) {
    // SAFETY: the caller's promise.
    unsafe { panels::<std::arch::x86_64::__m256>(product) }
}

thread_local! {
    /// A panel of the right matrix, its rows side by side.
    static PACKED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Cuts the inner axis and the columns.
#[inline(always)]
unsafe fn panels<V: Vector>(product: &Product) {
    let width = 2 * V::LANES;
    if product.inner == 0 {
        // SAFETY: the caller's promise.
        return unsafe { scale_out(product) };
    }
    // Taken, not borrowed: inside a closure nothing would be inlined into the instruction set.
    let mut panel = PACKED.take();
    panel.resize(INNER * width, 0.0);
    for first in (0..product.inner).step_by(INNER) {
        let inner = INNER.min(product.inner - first);
        for column in (0..product.columns).step_by(width) {
            let columns = width.min(product.columns - column);
            let mut part = *product;
            (part.columns, part.inner) = (columns, inner);
            if first > 0 {
                part.keep = 1.0;
            }
            // SAFETY: inside the matrices; the panel has room for `inner` rows of `width`.
            unsafe {
                part.left = product.left.add(first * product.left_column);
                part.right = product.right.add(first * product.right_row + column);
                part.out = product.out.add(column);
                let far = columns < width || product.rows >= ROWS_WORTH_PACKING;
                if far && !product.right_packed {
                    pack(&part, width, panel.as_mut_ptr());
                    (part.right, part.right_row) = (panel.as_ptr(), width);
                }
                panel_of_tiles::<V>(&part);
            }
        }
    }
    PACKED.set(panel);
}

/// Copies the right matrix of `product` into rows of `width`, zeros behind its columns.
#[inline(always)]
unsafe fn pack(product: &Product, width: usize, to: *mut f32) {
    for row in 0..product.inner {
        // SAFETY: the caller's promise.
        unsafe {
            let (from, to) = (product.right.add(row * product.right_row), to.add(row * width));
            if product.columns == width {
                std::ptr::copy_nonoverlapping(from, to, width);
            } else {
                std::ptr::copy_nonoverlapping(from, to, product.columns);
                std::ptr::write_bytes(to.add(product.columns), 0, width - product.columns);
            }
        }
    }
}

/// Cuts the rows of a panel into tiles.
#[inline(always)]
unsafe fn panel_of_tiles<V: Vector>(product: &Product) {
    // As even as can be: 64 rows are 5 tiles of 11 and one of 9, not of 12 and 4.
    let tiles = product.rows.div_ceil(V::ROWS);
    let mut row = 0;
    for tile in 0..tiles {
        let end = product.rows * (tile + 1) / tiles;
        let mut part = *product;
        part.rows = end - row;
        // SAFETY: inside the matrices.
        unsafe {
            part.left = product.left.add(row * product.left_row);
            part.out = product.out.add(row * product.out_row);
            if product.columns > V::LANES {
                tile_of_rows::<V, 2>(&part);
            } else {
                tile_of_rows::<V, 1>(&part);
            }
        }
        row = end;
    }
}

/// Picks the tile that has as many rows as `product`.
#[inline(always)]
unsafe fn tile_of_rows<V: Vector, const WIDE: usize>(product: &Product) {
    // SAFETY: the caller's promise.
    unsafe {
        match product.rows {
            1 => tile::<V, 1, WIDE>(product),
            2 => tile::<V, 2, WIDE>(product),
            3 => tile::<V, 3, WIDE>(product),
            4 => tile::<V, 4, WIDE>(product),
            5 => tile::<V, 5, WIDE>(product),
            6 => tile::<V, 6, WIDE>(product),
            // Guards on the constant: wider tiles are not even compiled for narrow vectors.
            7 if V::ROWS > 6 => tile::<V, 7, WIDE>(product),
            8 if V::ROWS > 6 => tile::<V, 8, WIDE>(product),
            9 if V::ROWS > 6 => tile::<V, 9, WIDE>(product),
            10 if V::ROWS > 6 => tile::<V, 10, WIDE>(product),
            11 if V::ROWS > 6 => tile::<V, 11, WIDE>(product),
            12 if V::ROWS > 6 => tile::<V, 12, WIDE>(product),
            rows => unreachable!("a tile of {rows} rows"),
        }
    }
}

/// One tile of `ROWS` rows by `WIDE` registers.
#[inline(always)]
unsafe fn tile<V: Vector, const ROWS: usize, const WIDE: usize>(product: &Product) {
    let Product { inner, left, left_row, left_column, right, right_row, .. } = *product;
    // SAFETY: the caller's promise; a right row has room for `WIDE` registers.
    unsafe {
        let mut sums = [[V::splat(0.0); WIDE]; ROWS];
        for step in 0..inner {
            let right = right.add(step * right_row);
            let left = left.add(step * left_column);
            let mut registers = [V::splat(0.0); WIDE];
            for (i, register) in registers.iter_mut().enumerate() {
                *register = V::load(right.add(i * V::LANES));
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let element = V::splat(*left.add(row * left_row));
                for (sum, register) in sums.iter_mut().zip(registers) {
                    *sum = element.mul_add(register, *sum);
                }
            }
        }
        store::<V, ROWS, WIDE>(product, sums);
    }
}

/// Writes the sums of a tile.
#[inline(always)]
unsafe fn store<V: Vector, const ROWS: usize, const WIDE: usize>(
    product: &Product,
    sums: [[V; WIDE]; ROWS],
) {
    let Product { columns, out, out_row, keep, scale, .. } = *product;
    // SAFETY: the caller's promise; a tile that is not full goes through memory of its own.
    unsafe {
        let scale = V::splat(scale);
        if columns == WIDE * V::LANES {
            for (row, sums) in sums.into_iter().enumerate() {
                for (i, sum) in sums.into_iter().enumerate() {
                    let to = out.add(row * out_row + i * V::LANES);
                    let mut sum = sum.mul(scale);
                    if keep != 0.0 {
                        sum = V::splat(keep).mul_add(V::load(to), sum);
                    }
                    sum.store(to);
                }
            }
            return;
        }
        let mut whole = [[0.0f32; PANEL]; ROWS];
        for (sums, whole) in sums.into_iter().zip(&mut whole) {
            for (i, sum) in sums.into_iter().enumerate() {
                sum.mul(scale).store(whole.as_mut_ptr().add(i * V::LANES));
            }
        }
        for (row, whole) in whole.iter().enumerate() {
            for (column, &sum) in whole[..columns].iter().enumerate() {
                let to = out.add(row * out_row + column);
                *to = if keep == 0.0 { sum } else { keep * *to + sum };
            }
        }
    }
}

/// A product over nothing: `out = keep * out`.
unsafe fn scale_out(product: &Product) {
    for row in 0..product.rows {
        for column in 0..product.columns {
            // SAFETY: the caller's promise.
            unsafe {
                let to = product.out.add(row * product.out_row + column);
                *to = if product.keep == 0.0 { 0.0 } else { product.keep * *to };
            }
        }
    }
}
