//! Rotary positions in place, see `kernels/rotary.cu`.

use candle_core::{Result, Tensor};

use super::card::Card;
use super::launch::{Arg, Module, OnDevice, Threads, device_of, launch, suffix};
use crate::ops::rotary::{Rotation, Turn};

/// What an adapter of at most [`MOST_RANKS`] adds before the turn: `low` `[rows, rank]` times `b` `[rank, out]`.
#[derive(Clone, Copy)]
pub(super) struct LowRank<'a> {
    pub(super) low: &'a Tensor,
    pub(super) b: &'a Tensor,
}

/// Ranks of the largest adapter that the kernel adds.
pub(super) const MOST_RANKS: usize = 8;

/// Rows that a thread reads at once.
const BATCH: usize = 4;

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
    let blocks = (heads * 3 * parts * pairs / 4).div_ceil(128);
    let device = device_of(like)?;
    // The four blocks that each processor has room for, all at once.
    let at_once = 4 * Card::of(device)?.processors;
    let rows_a_block = (rows * blocks).div_ceil(at_once).next_multiple_of(BATCH).min(64);
    let (low, b, rank) = match low_rank {
        Some(LowRank { low, b }) => (Arg::of(low)?, Arg::of(b)?, b.dims2()?.0),
        None => (Arg::NULL, Arg::NULL, 0),
    };
    let direction = match way {
        Turn::Forward => 1.0,
        Turn::Back => -1.0,
    };
    launch(
        device,
        Module::Rotary,
        ("rotary_turn", suffix(like.dtype())?),
        Threads::new((blocks, rows.div_ceil(rows_a_block), 1), 128).early(),
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
            Arg::size(rows_a_block),
        ],
    )
}
