//! The gradient through GELU, see `kernels/gelu.cu`.

use candle_core::{Result, Tensor};

use super::card::Card;
use super::launch::{Arg, Fresh, Module, Threads, device_of, launch, suffix};

/// Elements of a 16-byte access.
const PACK: usize = 8;

/// Multiplies `d`, the gradient of GELU's result, by its slope at what went into it, `x` of the same shape.
pub(super) fn slope(d: &Fresh, x: &Tensor) -> Result<()> {
    let packs = x.elem_count() / PACK;
    let device = device_of(x)?;
    let most = 16 * Card::of(device)?.processors;
    launch(
        device,
        Module::Gelu,
        ("gelu_slope", suffix(x.dtype())?),
        Threads::new((packs.div_ceil(256).min(most), 1, 1), 256).early(),
        &[Arg::of(d)?, Arg::of(x)?, Arg::U64(packs as u64)],
    )
}
