//! Splitting work over the threads of the pool.

use std::marker::PhantomData;

use rayon::prelude::*;

use super::gemm::MatrixMut;

/// Multiplications in all for which a second thread pays.
const WORTH_A_THREAD: usize = 500_000;

/// Threads that work may be split over.
pub(super) fn threads() -> usize {
    rayon::current_num_threads()
}

/// What an element of an elementwise op costs: more for its way through memory than for itself.
pub(super) const ELEMENTWISE: usize = 8;

/// Cuts `out` into blocks of whole rows for the threads and calls `work(first_element, block)` on
/// them. An element costs `multiplications`.
pub(super) fn blocks(
    out: &mut [f32],
    row: usize,
    multiplications: usize,
    work: impl Fn(usize, &mut [f32]) + Sync,
) {
    let row = row.max(1);
    let smallest = WORTH_A_THREAD / 2 / multiplications.max(1);
    let rows = (out.len() / row).div_ceil(threads()).max(smallest.div_ceil(row));
    if rows * row >= out.len() {
        return work(0, out);
    }
    let block = rows * row;
    out.par_chunks_mut(block).enumerate().for_each(|(i, out)| work(i * block, out));
}

/// Calls `work` for every number below `tasks`, each of which costs `multiplications`.
pub(super) fn tasks(tasks: usize, multiplications: usize, work: impl Fn(usize) + Sync + Send) {
    if tasks < 2 || threads() < 2 || tasks * multiplications < WORTH_A_THREAD {
        return (0..tasks).for_each(work);
    }
    (0..tasks).into_par_iter().with_max_len(1).for_each(work);
}

/// A slice that several tasks write, each its own part.
pub(super) struct Shared<'a> {
    start: *mut f32,
    len: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

#[expect(unsafe_code, reason = "the parts that tasks take do not overlap: see the functions")]
// SAFETY: a `Shared` gives access only through unsafe functions whose callers keep parts apart.
unsafe impl Sync for Shared<'_> {}

#[expect(unsafe_code, reason = "it stands for a slice that is borrowed mutably")]
// SAFETY: like the `&mut [f32]` that it stands for.
unsafe impl Send for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(super) fn new(values: &'a mut [f32]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), lifetime: PhantomData }
    }

    /// The elements from `start` on.
    ///
    /// # Safety
    ///
    /// While they live, no other part may overlap them.
    #[expect(unsafe_code, reason = "parts of one slice for several threads")]
    pub(super) unsafe fn slice(&self, start: usize, len: usize) -> &'a mut [f32] {
        assert!(start + len <= self.len, "a part reaches beyond its slice");
        // SAFETY: inside the slice, as checked, and not shared, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }

    /// `rows` rows of `columns` elements, one every `stride`.
    ///
    /// # Safety
    ///
    /// While it lives, no other part may overlap it.
    #[expect(unsafe_code, reason = "parts of one slice for several threads")]
    pub(super) unsafe fn matrix(
        &self,
        start: usize,
        rows: usize,
        columns: usize,
        stride: usize,
    ) -> MatrixMut<'a> {
        let end = if rows == 0 { start } else { start + (rows - 1) * stride + columns };
        assert!(columns <= stride && end <= self.len, "a part reaches beyond its slice");
        // SAFETY: inside the slice, as checked, and not shared, as the caller promises.
        unsafe { MatrixMut::from_raw(self.start.add(start), rows, columns, stride) }
    }
}
