//! The adapter beside a frozen linear layer, see `kernels/lora.cu`.

use candle_core::{DType, Result, Tensor, bail};

use super::launch::{
    Arg, DropoutRule, Fresh, Module, OnDevice, Threads, device_of, launch, suffix,
};
use crate::ops::dropout::Dropout;

/// Ranks that a launch takes.
const RANKS: usize = 8;
/// Rows that a block takes through A or B.
const ROWS: usize = 4;

/// `scale · dropout(x) Aᵀ`: `x` `[rows, in]` to f32 `[rows, rank]`.
pub(super) fn down(x: &Tensor, a: &Tensor, scale: f32, dropout: Option<Dropout>) -> Result<Tensor> {
    let (rank, inputs) = a.dims2()?;
    let rows = x.elem_count() / inputs;
    let low = Fresh::new((rows, rank), DType::F32, device_of(x)?)?;
    for first in (0..rank).step_by(RANKS) {
        launch(
            device_of(x)?,
            Module::Lora,
            ("lora_down", suffix(x.dtype())?),
            Threads::new((rows.div_ceil(ROWS), 1, 1), 256),
            &[
                Arg::of(x)?,
                Arg::of(a)?,
                Arg::of(&low)?,
                Arg::size(rows),
                Arg::size(inputs),
                Arg::size(rank),
                Arg::size(first),
                Arg::F32(scale),
                rule(dropout, x)?,
            ],
        )?;
    }
    Ok(low.tensor())
}

/// `y += low Bᵀ` where `y` `[rows, out]` is, for the ranks from `first` on.
pub(super) fn up(
    y: &impl OnDevice,
    dtype: DType,
    low: &Tensor,
    b: &Tensor,
    first: usize,
) -> Result<()> {
    let (rows, rank) = low.dims2()?;
    let (outputs, _) = b.dims2()?;
    for first in (first..rank).step_by(RANKS) {
        launch(
            device_of(low)?,
            Module::Lora,
            ("lora_up", suffix(dtype)?),
            Threads::new((outputs.div_ceil(512), rows.div_ceil(16), 1), 256),
            &[
                Arg::of(y)?,
                Arg::of(low)?,
                Arg::of(b)?,
                Arg::size(rows),
                Arg::size(outputs),
                Arg::size(rank),
                Arg::size(first),
            ],
        )?;
    }
    Ok(())
}

/// `scale · dy B`, the gradient of what went up: `dy` `[rows, out]` to f32 `[rows, rank]`.
pub(super) fn up_backward(dy: &Tensor, b: &Tensor, scale: f32) -> Result<Tensor> {
    let (outputs, rank) = b.dims2()?;
    let rows = dy.elem_count() / outputs;
    let d_low = Fresh::new((rows, rank), DType::F32, device_of(dy)?)?;
    for first in (0..rank).step_by(RANKS) {
        launch(
            device_of(dy)?,
            Module::Lora,
            ("lora_up_backward", suffix(dy.dtype())?),
            Threads::new((rows.div_ceil(ROWS), 1, 1), 256),
            &[
                Arg::of(dy)?,
                Arg::of(b)?,
                Arg::of(&d_low)?,
                Arg::size(rows),
                Arg::size(outputs),
                Arg::size(rank),
                Arg::size(first),
                Arg::F32(scale),
            ],
        )?;
    }
    Ok(d_low.tensor())
}

/// The gradient of B, `dyᵀ low`: f32 `[out, rank]`.
pub(super) fn b_gradient(dy: &Tensor, low: &Tensor) -> Result<Tensor> {
    outer(dy, low, None, false)
}

/// The gradient of A, `d_lowᵀ dropout(x)`: f32 `[rank, in]`.
pub(super) fn a_gradient(x: &Tensor, d_low: &Tensor, dropout: Option<Dropout>) -> Result<Tensor> {
    outer(x, d_low, dropout, true)
}

/// Rows are summed in parts, then the parts: so many threads have work, and the order is always the same.
fn outer(z: &Tensor, low: &Tensor, dropout: Option<Dropout>, turned: bool) -> Result<Tensor> {
    let (rows, rank) = low.dims2()?;
    let columns = z.elem_count() / rows;
    let device = device_of(z)?;
    let blocks = columns.div_ceil(256);
    // Some four blocks for each of a large GPU's 132 processors.
    let splits = (528 / blocks).clamp(1, rows.div_ceil(8));
    let rows_a_split = rows.div_ceil(splits);
    let splits = rows.div_ceil(rows_a_split);
    let partial = Fresh::new((splits, columns, rank), DType::F32, device)?;
    for first in (0..rank).step_by(RANKS) {
        launch(
            device,
            Module::Lora,
            ("lora_outer", suffix(z.dtype())?),
            Threads::new((blocks, splits, 1), 128),
            &[
                Arg::of(z)?,
                Arg::of(low)?,
                Arg::of(&partial)?,
                Arg::size(rows),
                Arg::size(columns),
                Arg::size(rank),
                Arg::size(first),
                Arg::size(rows_a_split),
                rule(dropout, z)?,
            ],
        )?;
    }
    let shape = if turned { (rank, columns) } else { (columns, rank) };
    let sum = Fresh::new(shape, DType::F32, device)?;
    launch(
        device,
        Module::Lora,
        ("lora_join_splits", ""),
        Threads::new(((columns * rank).div_ceil(256), 1, 1), 256),
        &[
            Arg::of(&partial)?,
            Arg::of(&sum)?,
            Arg::size(columns),
            Arg::size(rank),
            Arg::size(splits),
            Arg::I32(i32::from(turned)),
        ],
    )?;
    Ok(sum.tensor())
}

/// `dx += dropout(d_low A)` where `dx` `[rows, in]` is.
pub(super) fn down_backward(
    dx: &Tensor,
    d_low: &Tensor,
    a: &Tensor,
    dropout: Option<Dropout>,
) -> Result<()> {
    let (rows, _) = d_low.dims2()?;
    let (rank, inputs) = a.dims2()?;
    for first in (0..rank).step_by(RANKS) {
        launch(
            device_of(dx)?,
            Module::Lora,
            ("lora_down_backward", suffix(dx.dtype())?),
            Threads::new((inputs.div_ceil(512), rows.div_ceil(16), 1), 256),
            &[
                Arg::of(dx)?,
                Arg::of(d_low)?,
                Arg::of(a)?,
                Arg::size(rows),
                Arg::size(inputs),
                Arg::size(rank),
                Arg::size(first),
                rule(dropout, dx)?,
            ],
        )?;
    }
    Ok(())
}

/// The kernels count elements in 32 bits, which is one run of the CPU's rule.
fn rule(dropout: Option<Dropout>, x: &Tensor) -> Result<Arg> {
    let Some(dropout) = dropout else {
        return Ok(Arg::Dropout(DropoutRule::default()));
    };
    if x.elem_count() > u32::MAX as usize {
        bail!("dropout of {} elements at once: wanted at most 2^32 - 1", x.elem_count());
    }
    let (keys, threshold, scale) = dropout.kernel_rule();
    Ok(Arg::Dropout(DropoutRule { keys, threshold, scale }))
}
