//! Tensors as plain slices, and back: what every CPU form starts and ends with.

use std::ops::Deref;

use candle_core::backend::BackendStorage as _;
use candle_core::{
    CpuStorage, DType, Device, Layout, Result, Shape, Storage, StorageRef, Tensor, bail,
};

/// Whether the fused CPU forms can read all of `tensors`: f32, on the CPU, without gaps.
pub(super) fn all_plain(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|tensor| {
        tensor.device().is_cpu() && tensor.dtype() == DType::F32 && tensor.is_contiguous()
    })
}

/// The values of a plain tensor, readable while this lives.
pub(super) struct Values<'a> {
    storage: StorageRef<'a>,
    layout: &'a Layout,
}

/// Borrows the values of `tensor`, which must be plain.
pub(super) fn values(tensor: &Tensor) -> Result<Values<'_>> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(cpu) => slice(cpu, layout)?,
        Storage::Cuda(_) | Storage::Metal(_) => bail!("a CPU op was given a tensor of a GPU"),
    };
    Ok(Values { storage, layout })
}

impl Deref for Values<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(cpu) => slice(cpu, self.layout).unwrap_or(&[]),
            Storage::Cuda(_) | Storage::Metal(_) => &[],
        }
    }
}

/// The values that `layout` covers of `storage`.
pub(super) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(all), Some((start, end))) => Ok(&all[start..end]),
        _ => bail!("a CPU op wants contiguous f32, got {:?} {layout:?}", storage.dtype()),
    }
}

/// Memory for `len` results; what it holds is not defined, and the op writes all of it.
///
/// Zeroing would cost as much as many of the ops themselves.
#[expect(unsafe_code, reason = "clearing what is about to be overwritten costs a pass")]
#[expect(clippy::uninit_vec, reason = "as candle does for its own outputs")]
pub(super) fn room(len: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    // SAFETY: the capacity is there, any bits are an f32, and every element is written before it
    // is read.
    unsafe {
        values.set_len(len);
    }
    values
}

/// A tensor on the CPU, out of values that an op computed.
pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &Device::Cpu)
}

/// What an op's forward returns to candle.
pub(super) fn output(values: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.into())
}

/// `shape` seen as rows of its last axis: (rows, columns).
pub(super) fn rows_of(shape: &Shape) -> (usize, usize) {
    let columns = shape.dims().last().copied().unwrap_or(1);
    (shape.elem_count() / columns.max(1), columns)
}

/// `shape` with another last axis.
pub(super) fn with_last(shape: &Shape, last: usize) -> Shape {
    let mut dims = shape.dims().to_vec();
    if let Some(old) = dims.last_mut() {
        *old = last;
    }
    dims.into()
}
