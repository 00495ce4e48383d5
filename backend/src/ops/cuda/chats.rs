//! One token of each of several chats through a block, see `kernels/decode.cu`: the products of all at once, and what is
//! each chat's own, cache and adapter, as arguments of a launch.

use candle_core::{DType, Result, Tensor, bail};

use super::block::fits;
use super::card::Card;
use super::gemm::{Gemm, Then, Way};
use super::launch::{Arg, Fresh, Module, OnDevice as _, Threads, device_of, launch, suffix};
use super::{all_half, attention, decode, layer_norm, linear, lora, product};
use crate::ops::block::{Affine, BlockLoras, BlockWeights, FrozenLinear, GPU_HEADS, MOST_CHATS};
use crate::ops::{LayerCache, LoraOperand, Rotation};

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

/// `Chats` of the kernels with the adapters of one linear layer, and how many there are.
#[derive(Clone)]
pub(super) struct Chats {
    of: [Chat; MOST_CHATS],
    count: usize,
    /// The block of the model that all caches are of.
    layer: usize,
    /// Of the longest cache, before the newest token.
    longest: usize,
    /// The largest of an adapter; 0 where there is none.
    rank: usize,
}

/// The same for each linear layer of a block.
pub(super) struct BlockChats {
    pub(super) query_key_value: Chats,
    pub(super) dense: Chats,
    pub(super) dense_h_to_4h: Chats,
    pub(super) dense_4h_to_h: Chats,
}

impl BlockChats {
    /// Each with a cache that has room for a token more.
    pub(super) fn new(loras: &[BlockLoras], caches: &[LayerCache]) -> Result<Self> {
        if caches.len() != loras.len() {
            bail!("{} caches and {} adapters", caches.len(), loras.len());
        }
        let chats = Chats::new(caches)?;
        let with = |of: for<'a> fn(&BlockLoras<'a>) -> Option<LoraOperand<'a>>| {
            chats.with(loras.iter().map(of))
        };
        Ok(Self {
            query_key_value: with(|loras| loras.query_key_value)?,
            dense: with(|loras| loras.dense)?,
            dense_h_to_4h: with(|loras| loras.dense_h_to_4h)?,
            dense_4h_to_h: with(|loras| loras.dense_4h_to_h)?,
        })
    }
}

impl Chats {
    /// None of them with an adapter.
    fn new(caches: &[LayerCache]) -> Result<Self> {
        let of = [Chat::default(); MOST_CHATS];
        let mut chats = Self { of, count: caches.len(), layer: 0, longest: 0, rank: 0 };
        if caches.len() > MOST_CHATS {
            bail!("{} caches for {MOST_CHATS} chats", caches.len());
        }
        for (chat, cache) in chats.of.iter_mut().zip(caches) {
            let (layer, table) = cache.table(1)?;
            chats.layer = layer;
            (chat.pages, chat.past) = (table.address(), cache.len() as i32);
            chats.longest = chats.longest.max(cache.len());
        }
        Ok(chats)
    }

    fn with<'a>(&self, loras: impl Iterator<Item = Option<LoraOperand<'a>>>) -> Result<Self> {
        let mut chats = self.clone();
        for (chat, lora) in chats.of.iter_mut().zip(loras) {
            let Some(lora) = lora else { continue };
            let (rank, _) = lora.a.dims2()?;
            (chat.a, chat.b) = (lora.a.address()?, lora.b.address()?);
            (chat.rank, chat.scale) = (rank as i32, lora.scale as f32);
            chats.rank = chats.rank.max(rank);
        }
        Ok(chats)
    }
}

/// See [`crate::ops::block_of_chats`].
pub(crate) fn block_of_chats(
    x: &Tensor,
    weights: &BlockWeights,
    rotation: &Rotation,
    loras: &[BlockLoras],
    caches: &[LayerCache],
) -> Result<Option<Tensor>> {
    if !fits(x, weights, &BlockLoras::default(), rotation)?
        || !loras.iter().flat_map(BlockLoras::all).all(linear::fits_lora)
        || !caches.iter().all(|cache| cache.is_on_gpu_in(x.dtype()))
    {
        return Ok(None);
    }
    let x = x.detach();
    let (chats, _, _) = x.dims3()?;
    if let (1, [cache], [lora]) = (chats, caches, loras) {
        return decode::block(&x, weights, rotation, lora, *cache).map(Some);
    }
    together(&x, weights, rotation, &BlockChats::new(loras, caches)?).map(Some)
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
    attend(qkv, None, rotation, heads, &Chats::new(caches)?).map(Some)
}

/// The block's answer to `x` `[chats, 1, model]`, whatever the weights are kept in.
pub(super) fn together(
    x: &Tensor,
    weights: &BlockWeights,
    rotation: &Rotation,
    chats: &BlockChats,
) -> Result<Tensor> {
    let alpha = weights.alpha as f32;
    let norm = |x: &Tensor, Affine { weight, bias }: Affine| {
        layer_norm::forward(x, weight, bias, weights.eps).map(Fresh::tensor)
    };
    let normed = norm(x, weights.input_layernorm)?;
    let qkv = product(&normed, weights.query_key_value, false, None)?;
    let low = read_low(&normed, &chats.query_key_value)?;
    let read = attend(&qkv, low.as_ref(), rotation, weights.heads, &chats.query_key_value)?;
    let plus = Some((alpha, &normed));
    let middle = adapted(&read, weights.dense, false, plus, &chats.dense)?;

    let normed = norm(&middle, weights.post_attention_layernorm)?;
    let inner = adapted(&normed, weights.dense_h_to_4h, true, None, &chats.dense_h_to_4h)?;
    let plus = Some((alpha, &normed));
    adapted(&inner, weights.dense_4h_to_h, false, plus, &chats.dense_4h_to_h)
}

/// [`product`], with each chat's adapter.
fn adapted(
    x: &Tensor,
    linear: FrozenLinear,
    gelu: bool,
    residual: Option<(f32, &Tensor)>,
    chats: &Chats,
) -> Result<Tensor> {
    let Some(low) = read_low(x, chats)? else {
        return product(x, linear, gelu, residual);
    };
    let y = product(x, linear, false, residual)?;
    add_answer(&y, &low, gelu, chats)?;
    Ok(y)
}

/// `W · x` of each chat with its bias, GELU and a residual so many times; few bits are read as they are, if the kernel can.
fn product(
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

/// Adds what the adapters answer to `low`, f32 with a row for each chat, to `y` `[chats, 1, out]` where it is; then GELU, if
/// it is wanted.
pub(super) fn add_answer(y: &Tensor, low: &Tensor, gelu: bool, chats: &Chats) -> Result<()> {
    let (count, _, outputs) = y.dims3()?;
    launch(
        device_of(y)?,
        Module::Decode,
        ("decode_answer", suffix(y.dtype())?),
        Threads::new((outputs.div_ceil(256), count, 1), 256).early(),
        &[
            Arg::of(y)?,
            Arg::of(low)?,
            Arg::size(chats.rank),
            Arg::structure(&chats.of),
            Arg::size(outputs),
            Arg::I32(i32::from(gelu)),
        ],
    )
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
