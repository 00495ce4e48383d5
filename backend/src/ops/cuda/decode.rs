//! One token of one chat through a block, see `kernels/product.cu` and `kernels/decode.cu`: five launches, each at the
//! speed of the memory, and one more for each adapter that is not on `query_key_value`. Several chats at once are in `chats`.

use candle_core::{DType, Result, Tensor, bail};

use super::chats::{BlockChats, Chats, add_answer, attend, together};
use super::gemm::{Gemm, Way};
use super::launch::{Arg, Module, Threads, device_of, launch, suffix};
use super::product::{self, Produced, Product};
use crate::ops::block::{BlockLoras, BlockWeights, FrozenLinear};
use crate::ops::{LayerCache, LoraOperand, Rotation};

/// The block's answer to `x` `[1, 1, model]`, the token after those in `cache`, behind which it is written.
pub(super) fn block(
    x: &Tensor,
    weights: &BlockWeights,
    rotation: &Rotation,
    loras: &BlockLoras,
    cache: LayerCache,
) -> Result<Tensor> {
    let linears =
        [weights.query_key_value, weights.dense, weights.dense_h_to_4h, weights.dense_4h_to_h];
    // Before the products: it can put a copy on the stream, and none of them would start early behind it.
    let chats = BlockChats::new(&[*loras], &[cache])?;
    let device = device_of(x)?;
    for linear in linears {
        if !product::fits(linear.weight, device)? {
            return together(x, weights, rotation, &chats);
        }
    }
    let qkv = Product {
        norm: Some((weights.input_layernorm, weights.eps)),
        ..plain(x, weights.query_key_value, loras.query_key_value)
    }
    .run()?;
    let of_chat = &chats.query_key_value;
    let read = attend(&qkv.y, qkv.low.as_ref(), rotation, weights.heads, of_chat)?;
    let Some(normed) = &qkv.normed else {
        bail!("decode: no normalized input");
    };
    let product = Product {
        residual: Some((normed, weights.alpha)),
        ..plain(&read, weights.dense, loras.dense)
    };
    let middle = answered(product, &chats.dense)?.y;

    let product = Product {
        norm: Some((weights.post_attention_layernorm, weights.eps)),
        gelu: true,
        ..plain(&middle, weights.dense_h_to_4h, loras.dense_h_to_4h)
    };
    let up = answered(product, &chats.dense_h_to_4h)?;
    let Some(normed) = &up.normed else {
        bail!("decode: no normalized input");
    };
    let product = Product {
        residual: Some((normed, weights.alpha)),
        ..plain(&up.y, weights.dense_4h_to_h, loras.dense_4h_to_h)
    };
    Ok(answered(product, &chats.dense_4h_to_h)?.y)
}

/// The product and no more.
fn plain<'a>(
    x: &'a Tensor,
    linear: FrozenLinear<'a>,
    lora: Option<LoraOperand<'a>>,
) -> Product<'a> {
    let lora = lora.map(|lora| (lora.a, lora.scale));
    Product { x, norm: None, linear, gelu: false, residual: None, lora }
}

/// The product with its adapter's answer, which must be there before GELU.
fn answered(product: Product, chat: &Chats) -> Result<Produced> {
    let gelu = product.gelu && product.lora.is_none();
    let produced = Product { gelu, ..product }.run()?;
    if let Some(low) = &produced.low {
        add_answer(&produced.y, low, product.gelu, chat)?;
    }
    Ok(produced)
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
    let (_, model) = head.dims2()?;
    let fits = super::all_half(&[hidden, head])
        && model.is_multiple_of(8)
        && !hidden.track_op()
        && !head.track_op();
    if !fits {
        return Ok(None);
    }
    if hidden.elem_count() == model
        && let Some(scores) = product::logits(hidden, head)?
    {
        return Ok(Some(scores));
    }
    let product = Gemm { dtype: DType::F32, ..Gemm::new(hidden, head, Way::Forward) };
    product.run().map(|scores| Some(scores.tensor()))
}
