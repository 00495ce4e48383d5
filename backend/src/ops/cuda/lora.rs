//! The adapter beside a frozen linear layer, see `kernels/lora.cu`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Result, Tensor, bail};

use super::card::Card;
use super::launch::{
    Arg, DropoutRule, Fresh, Module, OnDevice, Threads, device_of, launch, suffix,
};
use crate::ops::dropout::Dropout;

/// Ranks that a launch takes, fewest first, and the kernel for so many.
type Kernels = [(usize, &'static str)];
const DOWN: &Kernels = &[(8, "lora_down_8"), (16, "lora_down_16"), (32, "lora_down_32")];
const UP: &Kernels = &[(8, "lora_up_8"), (16, "lora_up_16"), (32, "lora_up_32")];
const GRADIENT: &Kernels =
    &[(8, "lora_gradient_8"), (16, "lora_gradient_16"), (32, "lora_gradient_32")];
const BACK: &Kernels = &[(8, "lora_back_8"), (16, "lora_back_16")];

/// Rows that a block takes through A or B.
const ROWS: usize = 32;
/// Columns that a block takes at least, and most blocks that share a row's.
const DOWN_COLUMNS: usize = 256;
const MOST_SPLITS: usize = 24;
/// Columns of a block of `up`, and rows that it has at a time.
const UP_COLUMNS: usize = 256;
const UP_ROWS: usize = 16;
/// Of the kernels of gradients: warps of a block, the rows that one has at a time and its columns, most rows of a block; and
/// floats of shared memory: of the rows on their way, of what `back` has left to add, between rows of `low`, and at most of
/// what is fixed.
const WARPS: usize = 8;
const WARP_ROWS: usize = 16;
const WARP_COLUMNS: usize = 64;
const MOST_ROWS: usize = 256;
const TILES: usize = WARPS * 3 * WARP_ROWS * WARP_COLUMNS / 2;
const CHUNKS: usize = 2 * WARPS * 512;
const LOW_GAP: usize = 4;
const FIXED: usize = 8;

/// The launches that take all of `rank` ranks: the first of each, how many it has room for, and its kernel. Whoever takes
/// more at a time reads its rows fewer times.
fn launches(
    kernels: &'static Kernels,
    rank: usize,
) -> impl Iterator<Item = (usize, usize, &'static str)> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let left = rank.checked_sub(first).filter(|&left| left > 0)?;
        let fits = kernels.iter().find(|&&(ranks, _)| left <= ranks);
        let &(ranks, name) = fits.or(kernels.last())?;
        let launch = (first, ranks, name);
        first += ranks;
        Some(launch)
    })
}

/// The most ranks that a launch has room for: the first one's.
fn most_ranks(kernels: &'static Kernels, rank: usize) -> usize {
    launches(kernels, rank).next().map_or(0, |(_, ranks, _)| ranks)
}

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
    let most = most_ranks(DOWN, rank);
    // As many blocks as the processors have room for at once, here and below.
    let at_once = if most > 16 { 2 } else { 3 } * Card::of(device)?.processors;
    let splits = (at_once / row_blocks).clamp(1, MOST_SPLITS.min(inputs.div_ceil(DOWN_COLUMNS)));
    let partial = Fresh::new(row_blocks * splits * ROWS * most, DType::F32, device)?;
    let counters = counters(row_blocks, x.device())?;
    for (first, _, name) in launches(DOWN, rank) {
        launch(
            device,
            Module::Lora,
            (name, suffix(x.dtype())?),
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

/// `y += dropout(low A)` where `y` `[rows, out]` is, A `[rank, out]`. With Bᵀ for A, what the adapter adds; with A and the
/// gradient of what went down, its input's gradient.
pub(super) fn up(
    y: &impl OnDevice,
    dtype: DType,
    low: &Tensor,
    a: &Tensor,
    dropout: Option<Dropout>,
) -> Result<()> {
    let (rows, rank) = low.dims2()?;
    let (_, outputs) = a.dims2()?;
    let blocks = outputs.div_ceil(UP_COLUMNS);
    let device = device_of(low)?;
    // Two rounds of blocks: those of the second start as others end.
    let in_all = 6 * Card::of(device)?.processors;
    let rows_a_block = (rows * blocks).div_ceil(in_all).next_multiple_of(UP_ROWS);
    for (first, _, name) in launches(UP, rank) {
        launch(
            device,
            Module::Lora,
            (name, suffix(dtype)?),
            Threads::new((blocks, rows.div_ceil(rows_a_block), 1), 256).early(),
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
    let card = Card::of(device)?;
    let (kernels, warps_across, shape) = match wanted {
        Wanted::OfA(_) => (GRADIENT, 2, (rank, columns)),
        Wanted::OfB { .. } => (BACK, WARPS, (columns, rank)),
    };
    let most = most_ranks(kernels, rank);
    // Floats of shared memory beside `low`.
    let tiles = |ranks| match wanted {
        Wanted::OfA(_) => TILES.max(WARPS * WARP_COLUMNS * ranks),
        Wanted::OfB { .. } => TILES + CHUNKS,
    };
    let room = (card.shared / size_of::<f32>()).saturating_sub(tiles(most) + FIXED);
    let most_rows = room / (most + LOW_GAP) / WARP_ROWS * WARP_ROWS;
    let stretches = columns.div_ceil(warps_across * WARP_COLUMNS);
    let a_processor = if matches!(wanted, Wanted::OfA(_)) && most == 8 { 3 } else { 2 };
    let parts = (a_processor * card.processors / stretches).clamp(1, rows.div_ceil(WARP_ROWS));
    let rows_a_block = rows.div_ceil(parts).next_multiple_of(WARP_ROWS);
    let rows_a_block = rows_a_block.min(most_rows.clamp(WARP_ROWS, MOST_ROWS));
    let parts = rows.div_ceil(rows_a_block);
    let partial = Fresh::new((parts, columns, most), DType::F32, device)?;
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
    let (dropout, _lows) = match wanted {
        Wanted::OfA(dropout) => {
            argument.across = 1;
            (dropout, None)
        }
        Wanted::OfB { b, scale, d_low } => {
            let lows = Fresh::new((parts, stretches, rows_a_block * most), DType::F32, device)?;
            argument.b = b.address()?;
            argument.d_low = d_low.address()?;
            argument.partial_low = lows.address()?;
            argument.scale = scale;
            (None, Some(lows))
        }
    };
    for (first, ranks, name) in launches(kernels, rank) {
        argument.first = first as i32;
        let shared = (tiles(ranks) + rows_a_block * (ranks + LOW_GAP)) * size_of::<f32>();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_takes_as_many_ranks_as_a_kernel_has_room_for() {
        let of = |kernels, rank| launches(kernels, rank).collect::<Vec<_>>();

        assert_eq!(of(UP, 5), [(0, 8, "lora_up_8")]);
        assert_eq!(of(UP, 16), [(0, 16, "lora_up_16")]);
        assert_eq!(of(UP, 17), [(0, 32, "lora_up_32")]);
        assert_eq!(of(BACK, 20), [(0, 16, "lora_back_16"), (16, 8, "lora_back_8")]);
        assert_eq!(of(UP, 64), [(0, 32, "lora_up_32"), (32, 32, "lora_up_32")]);
        assert_eq!(of(UP, 0), []);
    }
}
