//! One token of each of several chats through a block, see `kernels/decode.cu`: the products of all at once, and what is
//! each chat's own, cache and adapter, as arguments of a launch.

use candle_core::{DType, Result, Tensor, bail};

use super::block::{fits, fits_lora};
use super::card::Card;
use super::gemm::{Gemm, Then, Way};
use super::launch::{Arg, Fresh, Module, OnDevice as _, Threads, device_of, launch, suffix};
use super::{all_half, attention, decode, layer_norm, lora, product};
use crate::ops::block::{Affine, BlockContext, BlockWeights, FrozenLinear, GPU_HEADS, MOST_CHATS};
use crate::ops::{AttentionMask, LayerCache, LoraOperand, Rotation};

/// Keys that a block of the attention kernel reads at least, and most blocks that share the keys of a head.
const KEYS_A_BLOCK: usize = 64;
const MOST_SPLITS: usize = 16;
/// Blocks of it that a processor runs at once: with more, splitting gains nothing.
const AT_ONCE: usize = 4;

/// `Chat` of the kernels.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Chat {
    pages: u64,
    a: u64,
    b: u64,
    past: i32,
    rank: i32,
    scale: f32,
}

/// `Chats` of the kernels, and how many there are.
pub(super) struct Chats {
    of: [Chat; MOST_CHATS],
    count: usize,
    /// The block of the model that all caches are of.
    layer: usize,
    /// Of the longest cache, before the newest token.
    longest: usize,
    rank: usize,
}

impl Chats {
    /// Each with a cache that has room for a token more.
    pub(super) fn new(loras: &[Option<LoraOperand>], caches: &[LayerCache]) -> Result<Self> {
        let of = [Chat::default(); MOST_CHATS];
        let mut chats = Self { of, count: caches.len(), layer: 0, longest: 0, rank: 0 };
        if caches.len() > MOST_CHATS || caches.len() != loras.len() {
            bail!("{} caches and {} adapters for {MOST_CHATS} chats", caches.len(), loras.len());
        }
        for (chat, (cache, lora)) in chats.of.iter_mut().zip(caches.iter().zip(loras)) {
            let (layer, table) = cache.table(1)?;
            chats.layer = layer;
            (chat.pages, chat.past) = (table.address(), cache.len() as i32);
            chats.longest = chats.longest.max(cache.len());
            if let Some(lora) = lora {
                let (rank, _) = lora.a.dims2()?;
                (chat.a, chat.b) = (lora.a.address()?, lora.b.address()?);
                (chat.rank, chat.scale) = (rank as i32, lora.scale as f32);
                chats.rank = chats.rank.max(rank);
            }
        }
        Ok(chats)
    }
}

/// See [`crate::ops::block_of_chats`].
pub(crate) fn block_of_chats(
    x: &Tensor,
    weights: &BlockWeights,
    rotation: &Rotation,
    loras: &[Option<LoraOperand>],
    caches: &[LayerCache],
) -> Result<Option<Tensor>> {
    let attention_mask = &AttentionMask::new(Vec::new());
    let context =
        BlockContext { rotation, attention_mask, lora: None, checkpoint: false, learned: None };
    if !fits(x, weights, &context)?
        || !loras.iter().flatten().all(fits_lora)
        || !caches.iter().all(|cache| cache.is_on_gpu_in(x.dtype()))
    {
        return Ok(None);
    }
    let x = x.detach();
    let (chats, _, _) = x.dims3()?;
    if let (1, [cache], [lora]) = (chats, caches, loras) {
        return decode::block(&x, weights, rotation, *lora, *cache).map(Some);
    }
    together(&x, weights, rotation, &Chats::new(loras, caches)?).map(Some)
}

/// See [`crate::ops::rotary_attention_of_chats`]; `None` where there is no kernel for it.
pub(crate) fn attention_of_chats(
    qkv: &Tensor,
    rotation: &Rotation,
    heads: usize,
    caches: &[LayerCache],
) -> Result<Option<Tensor>> {
    let (_, _, width) = qkv.dims3()?;
    let fits = all_half(&[qkv])
        && GPU_HEADS.contains(&(width / (3 * heads)))
        && caches.iter().all(|cache| cache.is_on_gpu_in(qkv.dtype()));
    if !fits {
        return Ok(None);
    }
    let chats = Chats::new(&vec![None; caches.len()], caches)?;
    attend(qkv, None, rotation, heads, &chats).map(Some)
}

/// The block's answer to `x` `[chats, 1, model]`, whatever the weights are kept in.
pub(super) fn together(
    x: &Tensor,
    weights: &BlockWeights,
    rotation: &Rotation,
    chats: &Chats,
) -> Result<Tensor> {
    let alpha = weights.alpha as f32;
    let norm = |x: &Tensor, Affine { weight, bias }: Affine| {
        layer_norm::forward(x, weight, bias, weights.eps).map(Fresh::tensor)
    };
    let normed = norm(x, weights.input_layernorm)?;
    let qkv = linear(&normed, weights.query_key_value, false, None)?;
    let low = read_low(&normed, chats)?;
    let read = attend(&qkv, low.as_ref(), rotation, weights.heads, chats)?;
    let middle = linear(&read, weights.dense, false, Some((alpha, &normed)))?;

    let normed = norm(&middle, weights.post_attention_layernorm)?;
    let inner = linear(&normed, weights.dense_h_to_4h, true, None)?;
    linear(&inner, weights.dense_4h_to_h, false, Some((alpha, &normed)))
}

/// `W · x` of each chat with its bias, GELU and a residual so many times; few bits are read as they are, if the kernel can.
fn linear(
    x: &Tensor,
    linear: FrozenLinear,
    gelu: bool,
    residual: Option<(f32, &Tensor)>,
) -> Result<Tensor> {
    let FrozenLinear { weight, bias } = linear;
    if product::fits_chats(weight)? {
        return product::of_chats(x, linear, gelu, residual);
    }
    let weight = weight.dense()?;
    let then = if gelu { Then::BiasGelu(bias) } else { Then::Bias(bias) };
    Gemm { then, residual, ..Gemm::new(x, &weight, Way::Forward) }.run().map(Fresh::tensor)
}

/// What the adapters read of `x` `[chats, 1, in]`, f32 `[chats, largest rank]`; nothing where there is no adapter.
fn read_low(x: &Tensor, chats: &Chats) -> Result<Option<Tensor>> {
    if chats.rank == 0 {
        return Ok(None);
    }
    let (_, _, inputs) = x.dims3()?;
    let device = device_of(x)?;
    let low = Fresh::new((chats.count, chats.rank), DType::F32, device)?;
    launch(
        device,
        Module::Decode,
        ("decode_low", suffix(x.dtype())?),
        Threads::new((chats.rank, chats.count, 1), 256).early(),
        &[Arg::of(x)?, Arg::structure(&chats.of), Arg::of(&low)?, Arg::size(inputs)],
    )?;
    Ok(Some(low.tensor()))
}

/// What the newest tokens read, `[chats, 1, model]`; their keys and values are written behind what the caches
/// hold. `low`: f32, a row for each chat.
pub(super) fn attend(
    qkv: &Tensor,
    low: Option<&Tensor>,
    rotation: &Rotation,
    heads: usize,
    chats: &Chats,
) -> Result<Tensor> {
    let (count, _, width) = qkv.dims3()?;
    let head = width / (3 * heads);
    let device = device_of(qkv)?;
    let read = Fresh::new((count, 1, heads * head), qkv.dtype(), device)?;
    let splits = chats.longest.div_ceil(KEYS_A_BLOCK).min(MOST_SPLITS);
    let at_once = AT_ONCE * Card::of(device)?.processors;
    let splits = splits.min(at_once / (heads * count)).max(1);
    let partial = Fresh::new((count, heads, splits, head + 2), DType::F32, device)?;
    let counters = lora::counters(count * heads, qkv.device())?;
    launch(
        device,
        Module::Decode,
        ("decode_attention", attention::ending(qkv.dtype(), head)?),
        Threads::new((heads, splits, count), 128).early(),
        &[
            Arg::of(qkv)?,
            low.map_or(Ok(Arg::NULL), Arg::of)?,
            Arg::size(chats.rank),
            Arg::of(&rotation.cos)?,
            Arg::of(&rotation.sin)?,
            Arg::size(rotation.rows),
            Arg::structure(&chats.of),
            Arg::size(chats.layer),
            Arg::of(&read)?,
            Arg::of(&partial)?,
            Arg::of(&counters)?,
        ],
    )?;
    Ok(read.tensor())
}
