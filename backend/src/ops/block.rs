//! A whole block of the model in one op, on devices that have one.

use candle_core::{Result, Tensor};

use super::{AttentionMask, LayerCache, LoraOperand, Rotation, Weight, WeightGradients};

/// Sizes of a head that the kernels of a GPU are made for, in half precision.
pub const GPU_HEADS: [usize; 3] = [32, 64, 128];

/// A matrix `[out, in]` and its bias `[out]`.
#[derive(Clone, Copy, Debug)]
pub struct FrozenLinear<'a> {
    pub weight: &'a Weight,
    pub bias: &'a Tensor,
}

/// Weight and bias of a layer norm, `[model]`.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    pub weight: &'a Tensor,
    pub bias: &'a Tensor,
}

/// What a block is made of.
#[derive(Clone, Copy, Debug)]
pub struct BlockWeights<'a> {
    pub input_layernorm: Affine<'a>,
    pub query_key_value: FrozenLinear<'a>,
    pub dense: FrozenLinear<'a>,
    pub post_attention_layernorm: Affine<'a>,
    pub dense_h_to_4h: FrozenLinear<'a>,
    pub dense_4h_to_h: FrozenLinear<'a>,
    pub heads: usize,
    /// Of the layer norms.
    pub eps: f64,
    /// What the normalized input is multiplied by where it goes around attention and MLP.
    pub alpha: f64,
}

/// What goes through a block beside the hidden states.
#[derive(Clone, Copy, Debug)]
pub struct BlockContext<'a> {
    pub rotation: &'a Rotation,
    pub attention_mask: &'a AttentionMask,
    /// An adapter on `query_key_value`.
    pub lora: Option<LoraOperand<'a>>,
    /// Keeps nothing but the input for the backward, which computes the block again.
    pub checkpoint: bool,
    /// Where the gradients of the weights go, if they learn.
    pub learned: Option<&'a WeightGradients>,
}

/// Bytes that a block keeps of `tokens` tokens for its backward, its input among them: see `Kept` of `ops::cuda::block`.
/// `number` is the size of one element, `inner` the width inside the MLP.
pub fn block_keeps(
    tokens: usize,
    (model, inner, heads): (usize, usize, usize),
    rank: usize,
    number: usize,
) -> usize {
    // Input, normalized input, queries, keys and values, what attention read, the middle; GELU's input.
    let numbers = 7 * model + inner;
    // What the adapter read, and the logarithms of attention's sums.
    let floats = rank + heads;
    tokens * (numbers * number + floats * size_of::<f32>())
}

/// Maps hidden states `[batch, seq, model]` to the same shape; gradients reach them and the adapter. With a cache, reads
/// what it holds, writes behind it, and no gradient flows.
///
/// `None` where there is no such op: on the CPU, in f32, for weights that learn.
#[cfg(feature = "cuda")]
pub fn block(
    x: &Tensor,
    weights: &BlockWeights,
    context: &BlockContext,
    cache: Option<LayerCache>,
) -> Result<Option<Tensor>> {
    match cache {
        None => super::cuda::block(x, weights, context),
        Some(cache) => super::cuda::block_cached(x, weights, context, cache),
    }
}

/// There is none without a GPU: a block is computed op by op.
#[cfg(not(feature = "cuda"))]
pub fn block(
    _: &Tensor,
    _: &BlockWeights,
    _: &BlockContext,
    _: Option<LayerCache>,
) -> Result<Option<Tensor>> {
    Ok(None)
}

/// Chats that go through the model at once, at most: what the kernels know of them are arguments of a launch.
pub const MOST_CHATS: usize = 64;

/// The newest token of each chat, `[chats, 1, model]`, through a block to the same shape: it joins its chat's cache, and
/// has the adapter of its chat on `query_key_value`, or none. `rotation` has its row for each.
///
/// `None` where there is no such op.
#[cfg(feature = "cuda")]
pub fn block_of_chats(
    x: &Tensor,
    weights: &BlockWeights,
    rotation: &Rotation,
    loras: &[Option<LoraOperand>],
    caches: &[LayerCache],
) -> Result<Option<Tensor>> {
    super::cuda::block_of_chats(x, weights, rotation, loras, caches)
}

/// There is none without a GPU.
#[cfg(not(feature = "cuda"))]
pub fn block_of_chats(
    _: &Tensor,
    _: &BlockWeights,
    _: &Rotation,
    _: &[Option<LoraOperand>],
    _: &[LayerCache],
) -> Result<Option<Tensor>> {
    Ok(None)
}
