//! One token of one chat through a block, see `kernels/decode.cu`: five launches, each at the speed of the memory.

use candle_core::{DType, Result, Tensor, bail};

use super::launch::{Arg, Fresh, Module, Threads, device_of, launch, suffix};
use crate::ops::block::{Affine, BlockContext, BlockWeights, FrozenLinear};
use crate::ops::{KvCache, Weight};

/// Warps of a block of the product kernel; each has a row at a time, or two of integers.
const WARPS: usize = 8;
/// Blocks that keep a large GPU's 132 processors full: each normalizes the input, so more would be slower.
const NORMALIZING_BLOCKS: usize = 4 * 132;
/// Keys that a block of the attention kernel reads at least, and most blocks that share the keys of a head.
const KEYS_A_BLOCK: usize = 64;
const MOST_SPLITS: usize = 16;

/// A product and what is around it: `finish(W · x')`.
struct Product<'a> {
    x: &'a Tensor,
    /// Applied to `x` first; its result is kept.
    norm: Option<(Affine<'a>, f64)>,
    linear: FrozenLinear<'a>,
    gelu: bool,
    /// Added so many times.
    residual: Option<(&'a Tensor, f64)>,
    /// A of an adapter, and its scale.
    lora: Option<(&'a Tensor, f64)>,
}

/// What a product leaves beside its result.
struct Produced {
    y: Tensor,
    /// The normalized `x`.
    normed: Option<Tensor>,
    /// What the adapter reads, `[rank]`, f32.
    low: Option<Tensor>,
}

impl Product<'_> {
    fn run(&self) -> Result<Produced> {
        let (outputs, inputs) = self.linear.weight.dims2()?;
        let device = device_of(self.x)?;
        let dtype = self.x.dtype();
        let y = Fresh::new((1, 1, outputs), dtype, device)?;
        let normed = match self.norm {
            Some(_) => Some(Fresh::new(self.x.shape(), dtype, device)?),
            None => None,
        };
        let (norm_weight, norm_bias, eps) = match self.norm {
            Some((norm, eps)) => (Arg::of(norm.weight)?, Arg::of(norm.bias)?, eps),
            None => (Arg::NULL, Arg::NULL, 0.0),
        };
        let (residual, alpha) = match self.residual {
            Some((residual, alpha)) => (Arg::of(residual)?, alpha),
            None => (Arg::NULL, 0.0),
        };
        let rank = self.lora.map_or(Ok(0), |(a, _)| a.dims2().map(|(rank, _)| rank))?;
        let low = match rank {
            0 => None,
            rank => Some(Fresh::new(rank, DType::F32, device)?),
        };
        let optional = |memory: &Option<Fresh>| memory.as_ref().map_or(Ok(Arg::NULL), Arg::of);
        let (a, scale) = match self.lora {
            Some((a, scale)) => (Arg::of(a)?, scale),
            None => (Arg::NULL, 0.0),
        };
        let (kernel, rows, weight, scales, scale_block) = match self.linear.weight {
            Weight::Dense(weight) => {
                ("decode_product_dense", 1, Arg::of(weight)?, Arg::NULL, inputs)
            }
            Weight::Quantized(weight) => {
                let form = weight.form();
                let kernel = match form.bits() {
                    8 => "decode_product_int8",
                    _ => "decode_product_int4",
                };
                let (integers, scales) = (Arg::of(weight.integers())?, Arg::of(weight.scales())?);
                (kernel, 2, integers, scales, form.block(inputs))
            }
        };
        let mut blocks = (outputs + rank).div_ceil(WARPS * rows);
        if self.norm.is_some() {
            blocks = blocks.min(NORMALIZING_BLOCKS);
        }
        launch(
            device,
            Module::Decode,
            (kernel, suffix(dtype)?),
            Threads::new((blocks, 1, 1), 32 * WARPS).shared(inputs * dtype.size_in_bytes()).early(),
            &[
                Arg::of(self.x)?,
                norm_weight,
                norm_bias,
                Arg::F32(eps as f32),
                optional(&normed)?,
                weight,
                scales,
                Arg::size(scale_block),
                Arg::of(self.linear.bias)?,
                residual,
                Arg::F32(alpha as f32),
                Arg::I32(i32::from(self.gelu)),
                Arg::of(&y)?,
                a,
                optional(&low)?,
                Arg::F32(scale as f32),
                Arg::size(inputs),
                Arg::size(outputs),
                Arg::size(rank),
            ],
        )?;
        Ok(Produced {
            y: y.tensor(),
            normed: normed.map(Fresh::tensor),
            low: low.map(Fresh::tensor),
        })
    }
}

/// The block's answer to `x` `[1, 1, model]`, the token after those in `cache`, which it joins.
pub(super) fn block(
    x: &Tensor,
    weights: &BlockWeights,
    context: &BlockContext,
    cache: &mut KvCache,
) -> Result<Tensor> {
    let lora = context.lora.as_ref();
    let plain =
        |x, linear| Product { x, norm: None, linear, gelu: false, residual: None, lora: None };
    let qkv = Product {
        norm: Some((weights.input_layernorm, weights.eps)),
        lora: lora.map(|lora| (lora.a, lora.scale)),
        ..plain(x, weights.query_key_value)
    }
    .run()?;
    let low_rank = qkv.low.as_ref().zip(lora.map(|lora| lora.b));
    let read = attend(&qkv.y, low_rank, context, weights.heads, cache)?;
    let Some(normed) = &qkv.normed else {
        bail!("decode: no normalized input");
    };
    let middle =
        Product { residual: Some((normed, weights.alpha)), ..plain(&read, weights.dense) }.run()?.y;

    let up = Product {
        norm: Some((weights.post_attention_layernorm, weights.eps)),
        gelu: true,
        ..plain(&middle, weights.dense_h_to_4h)
    }
    .run()?;
    let Some(normed) = &up.normed else {
        bail!("decode: no normalized input");
    };
    let down =
        Product { residual: Some((normed, weights.alpha)), ..plain(&up.y, weights.dense_4h_to_h) };
    Ok(down.run()?.y)
}

/// What the newest token reads, `[1, 1, model]`; its key and value join the cache.
fn attend(
    qkv: &Tensor,
    low_rank: Option<(&Tensor, &Tensor)>,
    context: &BlockContext,
    heads: usize,
    cache: &mut KvCache,
) -> Result<Tensor> {
    let past = cache.len();
    cache.grow(1)?;
    let (keys, values) = cache.tensors();
    let (_, _, capacity, head) = keys.dims4()?;
    let device = device_of(qkv)?;
    let read = Fresh::new((1, 1, heads * head), qkv.dtype(), device)?;
    let first = context.attention_mask.rows.first().map_or(0, |row| row.padding).min(past);
    let splits = (past - first).div_ceil(KEYS_A_BLOCK).clamp(1, MOST_SPLITS);
    let partial = Fresh::new((heads, splits, head + 2), DType::F32, device)?;
    let counters = cache.counters(heads, qkv.device())?;
    let (low, b, rank) = match low_rank {
        Some((low, b)) => (Arg::of(low)?, Arg::of(b)?, b.dims2()?.1),
        None => (Arg::NULL, Arg::NULL, 0),
    };
    let ending = match (qkv.dtype(), head) {
        (DType::F16, 32) => "_f16_32",
        (DType::F16, 64) => "_f16_64",
        (DType::F16, 128) => "_f16_128",
        (DType::BF16, 32) => "_bf16_32",
        (DType::BF16, 64) => "_bf16_64",
        (DType::BF16, 128) => "_bf16_128",
        (dtype, head) => bail!("decode: no kernel for {dtype:?} and heads of {head}"),
    };
    launch(
        device,
        Module::Decode,
        ("decode_attention", ending),
        Threads::new((heads, splits, 1), 128).early(),
        &[
            Arg::of(qkv)?,
            low,
            b,
            Arg::size(rank),
            Arg::of(&context.rotation.cos)?,
            Arg::of(&context.rotation.sin)?,
            Arg::size(context.rotation.rows),
            Arg::of(keys)?,
            Arg::of(values)?,
            Arg::size(past),
            Arg::size(first),
            Arg::size(capacity),
            Arg::of(&read)?,
            Arg::of(&partial)?,
            Arg::of(&counters)?,
        ],
    )?;
    Ok(read.tensor())
}

/// The keys and values of turned `qkv` `[1, seq, heads * 3 * head]` into the last places of the cache.
pub(super) fn append(qkv: &Tensor, cache: &KvCache) -> Result<()> {
    let (_, seq, _) = qkv.dims3()?;
    let (keys, values) = cache.tensors();
    let (_, heads, capacity, head) = keys.dims4()?;
    launch(
        device_of(qkv)?,
        Module::Decode,
        ("decode_append", suffix(qkv.dtype())?),
        Threads::new((seq, heads, 1), head),
        &[
            Arg::of(qkv)?,
            Arg::of(keys)?,
            Arg::of(values)?,
            Arg::size(cache.len() - seq),
            Arg::size(capacity),
            Arg::size(heads),
        ],
    )
}

/// Scores f32 `[1, 1, vocab]` of one token's `hidden` `[1, 1, model]`; `None` where it is not one, or not of half size.
pub(crate) fn logits(hidden: &Tensor, head: &Tensor) -> Result<Option<Tensor>> {
    let (vocab, model) = head.dims2()?;
    let fits = super::all_half(&[hidden, head])
        && hidden.elem_count() == model
        && model.is_multiple_of(8)
        && !hidden.track_op()
        && !head.track_op();
    if !fits {
        return Ok(None);
    }
    let device = device_of(hidden)?;
    let y = Fresh::new((1, 1, vocab), DType::F32, device)?;
    launch(
        device,
        Module::Decode,
        ("decode_logits", suffix(hidden.dtype())?),
        Threads::new((vocab.div_ceil(WARPS), 1, 1), 32 * WARPS)
            .shared(model * hidden.dtype().size_in_bytes())
            .early(),
        &[Arg::of(hidden)?, Arg::of(head)?, Arg::of(&y)?, Arg::size(model), Arg::size(vocab)],
    )?;
    Ok(Some(y.tensor()))
}
