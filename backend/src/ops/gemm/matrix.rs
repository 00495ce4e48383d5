//! Matrices that lie somewhere in a slice.

use std::marker::PhantomData;

/// A matrix to read: element (i, j) at `i * row + j * column`.
#[derive(Clone, Copy)]
pub(in crate::ops) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl<'a> Matrix<'a> {
    /// Rows one after another.
    pub(in crate::ops) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    /// Rows that begin every `row` elements.
    pub(in crate::ops) fn strided(
        values: &'a [f32],
        rows: usize,
        columns: usize,
        row: usize,
    ) -> Self {
        let end = if rows == 0 { 0 } else { (rows - 1) * row + columns };
        assert!(end <= values.len(), "a matrix reaches beyond its values");
        Self { values, rows, columns, row, column: 1 }
    }

    pub(in crate::ops) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row: self.column, column: self.row, ..self }
    }

    pub(in crate::ops) fn rows(&self) -> usize {
        self.rows
    }

    pub(in crate::ops) fn columns(&self) -> usize {
        self.columns
    }

    /// Row `i` of a matrix that is not transposed.
    pub(in crate::ops) fn row(&self, i: usize) -> &'a [f32] {
        assert!(self.column == 1 && i < self.rows, "a row lies in one piece");
        &self.values[i * self.row..][..self.columns]
    }

    /// `len` elements of row `i` of a matrix that is not transposed.
    pub(super) fn row_part(&self, i: usize, start: usize, len: usize) -> &'a [f32] {
        &self.row(i)[start..start + len]
    }

    /// The rows from `start` to `end`.
    pub(in crate::ops) fn rows_of(self, start: usize, end: usize) -> Self {
        assert!(start <= end && end <= self.rows, "rows of a matrix");
        if start == end {
            return Self { values: &[], rows: 0, ..self };
        }
        Self { values: &self.values[start * self.row..], rows: end - start, ..self }
    }

    /// The address of element (i, j), which must be inside.
    pub(super) fn at(&self, i: usize, j: usize) -> *const f32 {
        self.values[i * self.row + j * self.column..].as_ptr()
    }
}

/// A matrix to write: rows that begin every `row` elements.
pub(in crate::ops) struct MatrixMut<'a> {
    start: *mut f32,
    rows: usize,
    columns: usize,
    pub(super) row: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

#[expect(unsafe_code, reason = "it stands for a slice that is borrowed mutably")]
// SAFETY: like the `&mut [f32]` that it stands for.
unsafe impl Send for MatrixMut<'_> {}

#[expect(unsafe_code, reason = "it stands for a slice that is borrowed mutably")]
// SAFETY: shared, it gives only its sizes, and `part` whose callers keep the parts disjoint.
unsafe impl Sync for MatrixMut<'_> {}

impl<'a> MatrixMut<'a> {
    /// Rows one after another.
    pub(in crate::ops) fn new(values: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    /// Rows that begin every `row` elements.
    pub(in crate::ops) fn strided(
        values: &'a mut [f32],
        rows: usize,
        columns: usize,
        row: usize,
    ) -> Self {
        let end = if rows == 0 { 0 } else { (rows - 1) * row + columns };
        assert!(end <= values.len() && columns <= row, "a matrix reaches beyond its values");
        Self { start: values.as_mut_ptr(), rows, columns, row, lifetime: PhantomData }
    }

    /// Rows of `columns` elements, one every `row`, from `start` on.
    ///
    /// # Safety
    ///
    /// For `'a`, they must be valid and nobody else may touch them.
    #[expect(unsafe_code, reason = "threads write interleaved columns of one tensor")]
    pub(in crate::ops) unsafe fn from_raw(
        start: *mut f32,
        rows: usize,
        columns: usize,
        row: usize,
    ) -> Self {
        Self { start, rows, columns, row, lifetime: PhantomData }
    }

    pub(in crate::ops) fn rows(&self) -> usize {
        self.rows
    }

    pub(in crate::ops) fn columns(&self) -> usize {
        self.columns
    }

    pub(in crate::ops) fn row_mut(&mut self, i: usize) -> &mut [f32] {
        assert!(i < self.rows, "rows of a matrix");
        #[expect(unsafe_code, reason = "rows of a part are no slice of slices")]
        // SAFETY: every row of a matrix is valid, and `self` is borrowed meanwhile.
        unsafe {
            std::slice::from_raw_parts_mut(self.start.add(i * self.row), self.columns)
        }
    }

    /// The rows from `start` to `end`, for a while.
    pub(in crate::ops) fn rows_of(&mut self, start: usize, end: usize) -> MatrixMut<'_> {
        #[expect(unsafe_code, reason = "a part borrows from the whole")]
        // SAFETY: `self` is borrowed as long as the part lives.
        unsafe {
            self.part(start, end - start, 0, self.columns)
        }
    }

    /// A part of it, while other threads may have other parts.
    ///
    /// # Safety
    ///
    /// While it lives, nobody may use another part that overlaps it.
    #[expect(unsafe_code, reason = "threads write disjoint parts of one matrix")]
    pub(in crate::ops) unsafe fn part(
        &self,
        row: usize,
        rows: usize,
        column: usize,
        columns: usize,
    ) -> MatrixMut<'a> {
        assert!(row + rows <= self.rows && column + columns <= self.columns, "part of a matrix");
        // Wrapping, for the empty part behind the last row.
        let start = self.start.wrapping_add(row * self.row + column);
        MatrixMut { start, rows, columns, row: self.row, lifetime: PhantomData }
    }

    /// The address of its first element.
    pub(super) fn start(&mut self) -> *mut f32 {
        self.start
    }

    /// Copies a matrix of the same sizes.
    pub(in crate::ops) fn copy(&mut self, from: Matrix) {
        for i in 0..self.rows {
            self.row_mut(i).copy_from_slice(from.row(i));
        }
    }

    pub(in crate::ops) fn clear(&mut self) {
        for i in 0..self.rows {
            self.row_mut(i).fill(0.0);
        }
    }
}
