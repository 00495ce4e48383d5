//! Rotary positions in place, see `kernels/rotary.cu`.

use candle_core::{Result, Tensor};

use super::launch::{Arg, Module, OnDevice, Threads, device_of, launch, suffix};
use crate::ops::rotary::{Rotation, Turn};

/// What an adapter adds before the turn: `low` `[rows, rank]` times `b` `[out, rank]`.
#[derive(Clone, Copy)]
pub(super) struct LowRank<'a> {
    pub(super) low: &'a Tensor,
    pub(super) b: &'a Tensor,
}

/// Ranks that the kernel adds; `lora_up` adds those beyond.
pub(super) const RANKS: usize = 8;

/// Turns the queries and keys of `qkv` `[batch, seq, heads * 3 * head]` where they are.
pub(super) fn turn(
    qkv: &impl OnDevice,
    like: &Tensor,
    rotation: &Rotation,
    heads: usize,
    low_rank: Option<LowRank>,
    way: Turn,
) -> Result<()> {
    let (batch, seq, angles) = rotation.cos.dims3()?;
    let (parts, pairs) = (rotation.rows, angles / rotation.rows);
    let rows = batch * seq;
    let tasks = heads * 3 * parts * pairs / 2;
    let (low, b, rank) = match low_rank {
        Some(LowRank { low, b }) => (Arg::of(low)?, Arg::of(b)?, b.dims2()?.1),
        None => (Arg::NULL, Arg::NULL, 0),
    };
    let direction = match way {
        Turn::Forward => 1.0,
        Turn::Back => -1.0,
    };
    launch(
        device_of(like)?,
        Module::Rotary,
        ("rotary_turn", suffix(like.dtype())?),
        Threads::new((tasks.div_ceil(256), rows.div_ceil(16), 1), 256),
        &[
            Arg::Address(qkv.address()?),
            Arg::of(&rotation.cos)?,
            Arg::of(&rotation.sin)?,
            low,
            b,
            Arg::size(rows),
            Arg::size(heads),
            Arg::size(parts),
            Arg::size(pairs),
            Arg::size(rank),
            Arg::F32(direction),
        ],
    )
}
