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

/// The adapters beside a block's linear layers.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockLoras<'a> {
    pub query_key_value: Option<LoraOperand<'a>>,
    pub dense: Option<LoraOperand<'a>>,
    pub dense_h_to_4h: Option<LoraOperand<'a>>,
    pub dense_4h_to_h: Option<LoraOperand<'a>>,
}

impl<'a> BlockLoras<'a> {
    /// Those that are there.
    pub fn all(&self) -> impl Iterator<Item = LoraOperand<'a>> {
        let each = [self.query_key_value, self.dense, self.dense_h_to_4h, self.dense_4h_to_h];
        each.into_iter().flatten()
    }
}

/// What goes through blocks beside the hidden states.
#[derive(Clone, Copy, Debug)]
pub struct BlockContext<'a> {
    pub rotation: &'a Rotation,
    pub attention_mask: &'a AttentionMask,
    /// Keeps nothing but its input for a block's backward, which computes the block again.
    pub checkpoint: bool,
    /// Where the gradients of what learns go.
    pub gradients: Option<&'a WeightGradients>,
    /// Whether the weights themselves learn.
    pub weights_learn: bool,
}

/// Bytes that a block keeps of `tokens` tokens for its backward, its input among them: see `Kept` of `ops::cuda::block`.
/// `ranks` are the adapters', in the order of [`BlockLoras`], 0 where there is none; `number` is the size of one element,
/// `inner` the width inside the MLP.
pub fn block_keeps(
    tokens: usize,
    (model, inner, heads): (usize, usize, usize),
    ranks: [usize; 4],
    number: usize,
) -> usize {
    // Input, normalized input, queries, keys and values, what attention read, the middle; GELU's input.
    let numbers = 7 * model + inner;
    // What the adapters read, and the logarithms of attention's sums.
    let floats = ranks.iter().sum::<usize>() + heads;
    // B of each adapter, turned.
    let outputs = [3 * model, model, inner, model];
    let turned: usize = ranks.iter().zip(outputs).map(|(rank, outputs)| rank * outputs).sum();
    tokens * (numbers * number + floats * size_of::<f32>()) + turned * size_of::<f32>()
}

/// Maps hidden states `[batch, seq, model]` through all `blocks` to the same shape. The tape carries the gradient of the hidden
/// states alone; those of adapters and weights go to `context.gradients`.
///
/// `None` where there is no such op: on the CPU, in f32, for adapters whose gradients have no place to go.
#[cfg(feature = "cuda")]
pub fn blocks(
    x: &Tensor,
    blocks: &[(BlockWeights, BlockLoras)],
    context: &BlockContext,
) -> Result<Option<Tensor>> {
    super::cuda::blocks(x, blocks, context)
}

/// There is none without a GPU: a block is computed op by op.
#[cfg(not(feature = "cuda"))]
pub fn blocks(
    _: &Tensor,
    _: &[(BlockWeights, BlockLoras)],
    _: &BlockContext,
) -> Result<Option<Tensor>> {
    Ok(None)
}

/// The same of one block for a chat: reads what `cache` holds, writes behind it, and no gradient flows.
#[cfg(feature = "cuda")]
pub fn block_cached(
    x: &Tensor,
    weights: &BlockWeights,
    loras: &BlockLoras,
    context: &BlockContext,
    cache: LayerCache,
) -> Result<Option<Tensor>> {
    super::cuda::block_cached(x, (weights, loras), context, cache)
}

/// There is none without a GPU.
#[cfg(not(feature = "cuda"))]
pub fn block_cached(
    _: &Tensor,
    _: &BlockWeights,
    _: &BlockLoras,
    _: &BlockContext,
    _: LayerCache,
) -> Result<Option<Tensor>> {
    Ok(None)
}

/// Chats that go through the model at once, at most: what the kernels know of them are arguments of a launch.
pub const MOST_CHATS: usize = 64;

/// The newest token of each chat, `[chats, 1, model]`, through a block to the same shape: it joins its chat's cache, and
/// has the adapters of its chat. `rotation` has its row for each.
///
/// `None` where there is no such op.
#[cfg(feature = "cuda")]
pub fn block_of_chats(
    x: &Tensor,
    weights: &BlockWeights,
    rotation: &Rotation,
    loras: &[BlockLoras],
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
    _: &[BlockLoras],
    _: &[LayerCache],
) -> Result<Option<Tensor>> {
    Ok(None)
}
