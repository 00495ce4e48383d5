//! GELU and the gradient through it, see `kernels/gelu.cu`.

use candle_core::{Result, Tensor};

use super::card::Card;
use super::launch::{Arg, Fresh, Module, OnDevice, Threads, device_of, launch, suffix};

/// Elements of a 16-byte access.
const PACK: usize = 8;

/// GELU of `x`.
pub(super) fn forward(x: &Tensor) -> Result<Tensor> {
    let y = Fresh::new(x.shape(), x.dtype(), device_of(x)?)?;
    pass("gelu_forward", &y, x)?;
    Ok(y.tensor())
}

/// Makes `x` its GELU.
pub(super) fn in_place(x: &Tensor) -> Result<()> {
    pass("gelu_forward", x, x)
}

/// Multiplies `d`, the gradient of GELU's result, by its slope at what went into it, `x` of the same shape.
pub(super) fn slope(d: &Fresh, x: &Tensor) -> Result<()> {
    pass("gelu_slope", d, x)
}

fn pass(name: &'static str, to: &impl OnDevice, x: &Tensor) -> Result<()> {
    let packs = x.elem_count() / PACK;
    let device = device_of(x)?;
    let most = 16 * Card::of(device)?.processors;
    launch(
        device,
        Module::Gelu,
        (name, suffix(x.dtype())?),
        Threads::new((packs.div_ceil(256).min(most), 1, 1), 256).early(),
        &[Arg::of(to)?, Arg::of(x)?, Arg::U64(packs as u64)],
    )
}
