//! One token of one chat through a block, see `kernels/decode.cu`: five launches, each at the speed of the memory. Several
//! chats at once are in `chats`.

use candle_core::{DType, Result, Tensor, bail};

use super::chats::{Chats, attend};
use super::gemm::{Gemm, Way};
use super::launch::{Arg, Fresh, Module, Threads, device_of, launch, suffix};
use crate::ops::block::{Affine, BlockWeights, FrozenLinear};
use crate::ops::{LayerCache, LoraOperand, Rotation, Weight};

/// Warps of a block of the product kernel; each has a row at a time, or two of integers.
const WARPS: usize = 8;
/// Blocks that keep a large GPU's 132 processors full: each normalizes the input, so more would be slower.
const NORMALIZING_BLOCKS: usize = 4 * 132;

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

/// The block's answer to `x` `[1, 1, model]`, the token after those in `cache`, behind which it is written.
pub(super) fn block(
    x: &Tensor,
    weights: &BlockWeights,
    rotation: &Rotation,
    lora: Option<LoraOperand>,
    cache: LayerCache,
) -> Result<Tensor> {
    let plain =
        |x, linear| Product { x, norm: None, linear, gelu: false, residual: None, lora: None };
    let qkv = Product {
        norm: Some((weights.input_layernorm, weights.eps)),
        lora: lora.map(|lora| (lora.a, lora.scale)),
        ..plain(x, weights.query_key_value)
    }
    .run()?;
    let chats = Chats::new(&[lora], &[cache])?;
    let read = attend(&qkv.y, qkv.low.as_ref(), rotation, weights.heads, &chats)?;
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

/// The keys and values of turned `qkv` `[1, seq, heads * 3 * head]` behind what the cache holds.
pub(super) fn append(qkv: &Tensor, heads: usize, cache: LayerCache) -> Result<()> {
    let (_, seq, width) = qkv.dims3()?;
    let head = width / (3 * heads);
    let (layer, table) = cache.table(seq)?;
    launch(
        device_of(qkv)?,
        Module::Decode,
        ("decode_append", suffix(qkv.dtype())?),
        Threads::new((seq, heads, 1), head),
        &[Arg::of(qkv)?, table.arg(), Arg::size(layer), Arg::size(cache.len()), Arg::size(heads)],
    )
}

/// Scores f32 `[.., vocab]` of `hidden` `[.., model]`; `None` where it is not of half size, or learns.
pub(crate) fn logits(hidden: &Tensor, head: &Tensor) -> Result<Option<Tensor>> {
    let (vocab, model) = head.dims2()?;
    let fits = super::all_half(&[hidden, head])
        && model.is_multiple_of(8)
        && !hidden.track_op()
        && !head.track_op();
    if !fits {
        return Ok(None);
    }
    if hidden.elem_count() > model {
        let product = Gemm { dtype: DType::F32, ..Gemm::new(hidden, head, Way::Forward) };
        return product.run().map(|scores| Some(scores.tensor()));
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
