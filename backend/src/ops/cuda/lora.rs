//! The adapter beside a frozen linear layer, see `kernels/lora.cu`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Result, Tensor, bail};

use super::card::Card;
use super::launch::{
    Arg, DropoutRule, Fresh, Module, OnDevice, Threads, device_of, launch, suffix,
};
use crate::ops::dropout::Dropout;

/// Ranks that a launch takes.
const RANKS: usize = 8;
/// Rows that a block takes through A or B.
const ROWS: usize = 32;
/// Columns that a block takes at least, and most blocks that share a row's.
const DOWN_COLUMNS: usize = 256;
const MOST_SPLITS: usize = 24;
/// Threads of a block of `up`, and the columns that each has.
const THREADS: usize = 128;
const UP_COLUMNS: usize = 4;
/// Rows that a thread of `up` reads at once.
const UP_ROWS: usize = 4;
/// Of the kernels of gradients: warps of a block, the rows that one has at a time and its columns, most rows of a block,
/// and floats between rows of `low` in shared memory.
const WARPS: usize = 8;
const WARP_ROWS: usize = 16;
const WARP_COLUMNS: usize = 64;
const MOST_ROWS: usize = 256;
const LOW_STRIDE: usize = 12;

/// `from` `[rows, columns]`, f32, turned.
pub(super) fn transpose(from: &Tensor) -> Result<Tensor> {
    let (rows, columns) = from.dims2()?;
    let device = device_of(from)?;
    let to = Fresh::new((columns, rows), DType::F32, device)?;
    launch(
        device,
        Module::Lora,
        ("lora_transpose", ""),
        Threads::new(((rows * columns).div_ceil(256), 1, 1), 256).early(),
        &[Arg::of(from)?, Arg::of(&to)?, Arg::size(rows), Arg::size(columns)],
    )?;
    Ok(to.tensor())
}

/// `scale · dropout(x) Aᵀ`: `x` `[rows, in]` to f32 `[rows, rank]`. With the gradient of what went up for `x` and Bᵀ
/// for A, the gradient of what went down.
pub(super) fn down(x: &Tensor, a: &Tensor, scale: f32, dropout: Option<Dropout>) -> Result<Tensor> {
    let (rank, inputs) = a.dims2()?;
    let rows = x.elem_count() / inputs;
    let device = device_of(x)?;
    let low = Fresh::new((rows, rank), DType::F32, device)?;
    let row_blocks = rows.div_ceil(ROWS);
    // As many blocks as the processors have room for at once, here and below.
    let at_once = 3 * Card::of(device)?.processors;
    let splits = (at_once / row_blocks).clamp(1, MOST_SPLITS.min(inputs.div_ceil(DOWN_COLUMNS)));
    let partial = Fresh::new(row_blocks * splits * ROWS * RANKS, DType::F32, device)?;
    let counters = counters(row_blocks, x.device())?;
    for first in (0..rank).step_by(RANKS) {
        launch(
            device,
            Module::Lora,
            ("lora_down", suffix(x.dtype())?),
            Threads::new((row_blocks, splits, 1), 256).early(),
            &[
                Arg::of(x)?,
                Arg::of(a)?,
                Arg::of(&low)?,
                Arg::size(rows),
                Arg::size(inputs),
                Arg::size(rank),
                Arg::size(first),
                Arg::F32(scale),
                rule(dropout, x.elem_count())?,
                Arg::of(&partial)?,
                Arg::of(&counters)?,
            ],
        )?;
    }
    Ok(low.tensor())
}

/// Zeros that the kernel leaves as it found them, at least `count`, u32; one for each device.
pub(super) fn counters(count: usize, device: &Device) -> Result<Tensor> {
    static COUNTERS: Mutex<BTreeMap<usize, Tensor>> = Mutex::new(BTreeMap::new());
    let ordinal = device.as_cuda_device()?.cuda_stream().context().ordinal();
    let mut all = COUNTERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(counters) = all.get(&ordinal).filter(|it| it.elem_count() >= count) {
        return Ok(counters.clone());
    }
    let counters = Tensor::zeros(count.next_power_of_two(), DType::U32, device)?;
    all.insert(ordinal, counters.clone());
    Ok(counters)
}

/// `y += dropout(low A)` where `y` `[rows, out]` is, A `[rank, out]`, for the ranks from `first` on. With Bᵀ for A, what
/// the adapter adds; with A and the gradient of what went down, its input's gradient.
pub(super) fn up(
    y: &impl OnDevice,
    dtype: DType,
    low: &Tensor,
    a: &Tensor,
    first: usize,
    dropout: Option<Dropout>,
) -> Result<()> {
    let (rows, rank) = low.dims2()?;
    let (_, outputs) = a.dims2()?;
    let blocks = outputs.div_ceil(UP_COLUMNS * THREADS);
    let device = device_of(low)?;
    let at_once = 6 * Card::of(device)?.processors;
    let rows_a_block = (rows * blocks).div_ceil(at_once).next_multiple_of(UP_ROWS).min(64);
    for first in (first..rank).step_by(RANKS) {
        launch(
            device,
            Module::Lora,
            ("lora_up", suffix(dtype)?),
            Threads::new((blocks, rows.div_ceil(rows_a_block), 1), THREADS).early(),
            &[
                Arg::of(y)?,
                Arg::of(low)?,
                Arg::of(a)?,
                Arg::size(rows),
                Arg::size(outputs),
                Arg::size(rank),
                Arg::size(first),
                Arg::size(rows_a_block),
                rule(dropout, rows * outputs)?,
            ],
        )?;
    }
    Ok(())
}

/// The gradient of A, `d_lowᵀ dropout(x)`: f32 `[rank, in]`.
pub(super) fn a_gradient(x: &Tensor, d_low: &Tensor, dropout: Option<Dropout>) -> Result<Tensor> {
    gradient(x, d_low, Wanted::OfA(dropout))
}

/// The gradient of what went down, f32 `[rows, rank]`, as [`down`] gives it for `dy` `[rows, out]` and `b`, Bᵀ; and the
/// gradient of B, `dyᵀ low`, f32 `[out, rank]`. `dy` is read once.
pub(super) fn back(dy: &Tensor, low: &Tensor, b: &Tensor, scale: f32) -> Result<(Tensor, Tensor)> {
    let d_low = Fresh::new(low.shape(), DType::F32, device_of(dy)?)?;
    let d_b = gradient(dy, low, Wanted::OfB { b, scale, d_low: &d_low })?;
    Ok((d_low.tensor(), d_b))
}

/// Which gradient.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// `[rank, columns]`.
    OfA(Option<Dropout>),
    /// `[columns, rank]`, and `scale * dy B`.
    OfB { b: &'a Tensor, scale: f32, d_low: &'a Fresh },
}

/// `Gradient` of the kernels.
#[derive(Default)]
#[repr(C)]
struct Argument {
    low: u64,
    out: u64,
    partial: u64,
    b: u64,
    d_low: u64,
    partial_low: u64,
    counters: u64,
    rows: i32,
    columns: i32,
    rank: i32,
    first: i32,
    rows_a_block: i32,
    across: i32,
    scale: f32,
}

/// Rows are summed in parts, then the parts: so many threads have work, and the order is always the same.
fn gradient(z: &Tensor, low: &Tensor, wanted: Wanted) -> Result<Tensor> {
    let (rows, rank) = low.dims2()?;
    let columns = z.elem_count() / rows;
    let device = device_of(z)?;
    let (name, warps_across, shape) = match wanted {
        Wanted::OfA(_) => ("lora_gradient", 2, (rank, columns)),
        Wanted::OfB { .. } => ("lora_back", WARPS, (columns, rank)),
    };
    let stretches = columns.div_ceil(warps_across * WARP_COLUMNS);
    let at_once = 2 * Card::of(device)?.processors;
    let parts = (at_once / stretches).clamp(1, rows.div_ceil(WARP_ROWS));
    let rows_a_block = rows.div_ceil(parts).next_multiple_of(WARP_ROWS).min(MOST_ROWS);
    let parts = rows.div_ceil(rows_a_block);
    let partial = Fresh::new((parts, columns, RANKS), DType::F32, device)?;
    let counters = counters(stretches + parts, z.device())?;
    let out = Fresh::new(shape, DType::F32, device)?;
    let mut argument = Argument {
        low: low.address()?,
        out: out.address()?,
        partial: partial.address()?,
        counters: counters.address()?,
        rows: rows as i32,
        columns: columns as i32,
        rank: rank as i32,
        rows_a_block: rows_a_block as i32,
        ..Argument::default()
    };
    let (dropout, to_add, _lows) = match wanted {
        Wanted::OfA(dropout) => {
            argument.across = 1;
            (dropout, WARP_COLUMNS, None)
        }
        Wanted::OfB { b, scale, d_low } => {
            let lows = Fresh::new((parts, stretches, rows_a_block * RANKS), DType::F32, device)?;
            argument.b = b.address()?;
            argument.d_low = d_low.address()?;
            argument.partial_low = lows.address()?;
            argument.scale = scale;
            (None, rows_a_block, Some(lows))
        }
    };
    let shared = (rows_a_block * LOW_STRIDE + WARPS * to_add * RANKS) * size_of::<f32>();
    for first in (0..rank).step_by(RANKS) {
        argument.first = first as i32;
        launch(
            device,
            Module::Lora,
            (name, suffix(z.dtype())?),
            Threads::new((stretches, parts, 1), 32 * WARPS).shared(shared).early(),
            &[Arg::of(z)?, Arg::structure(&argument), rule(dropout, z.elem_count())?],
        )?;
    }
    Ok(out.tensor())
}

/// The kernels count elements in 32 bits, which is one run of the CPU's rule.
fn rule(dropout: Option<Dropout>, elements: usize) -> Result<Arg> {
    let Some(dropout) = dropout else {
        return Ok(Arg::Dropout(DropoutRule::default()));
    };
    if elements > u32::MAX as usize {
        bail!("dropout of {elements} elements at once: wanted at most 2^32 - 1");
    }
    let (keys, threshold, scale) = dropout.kernel_rule();
    Ok(Arg::Dropout(DropoutRule { keys, threshold, scale }))
}
