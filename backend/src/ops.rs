//! What the model is computed with: each op has a CPU form, a backward and a test, and stands
//! alone. The model never asks which device it is on; an op takes its fused form for contiguous
//! f32 on the CPU, its kernels (`cuda`) for f16 and bf16 on a GPU, and [`composed`] candle operations
//! for everything else.
//!
//! | op | in a block |
//! | --- | --- |
//! | [`embedding()`] | ids to rows |
//! | [`layer_norm()`] | before attention, before the MLP, at the end |
//! | [`lora_linear()`], [`linear()`] | query-key-value with its adapter; any other matrix |
//! | [`rotary_attention`] | split, positions and attention, for training |
//! | [`rotary_qkv`], [`LayerCache`] | the same in two steps, for chat; keys and values stay in pages of a [`PagePool`] |
//! | [`lora_linear_of_chats`], [`rotary_attention_of_chats`] | a token of each of several chats, with adapter and cache of its own |
//! | [`linear_residual`], [`linear_gelu`] | a linear layer with what follows it |
//! | [`gelu()`], [`scaled_add()`] | the same where an adapter sits on the layer |
//! | [`adamw()`], [`OptimizerState`] | gradients to weights; what the optimizer has come to |
//! | [`Submissions`] | steps, without waiting for a GPU |
//! | [`blocks()`], [`block_cached`], [`block_of_chats`] | all blocks, or one, at once, where a GPU has it |
//! | [`select_rows`], [`logits()`] | the rows that predict, the scores of tokens |
//! | [`sample()`] | scores to the next token, where a GPU has them |
//! | [`cross_entropy()`] | hidden states at label positions to the loss |
//! | [`WeightGradients`] | what adapters and half-precision weights learn on a GPU |
//!
//! A fused op keeps the least its backward needs, computes no gradient of a frozen weight, and runs
//! on the threads of the rayon pool it is called from.

mod adamw;
mod attention;
mod block;
pub mod composed;
mod cross_entropy;
#[cfg(feature = "cuda")]
mod cuda;
mod dropout;
mod embedding;
mod gelu;
mod gemm;
mod layer_norm;
mod learned;
mod linear;
mod logits;
mod lora_linear;
mod loss_scale;
#[cfg_attr(not(feature = "cuda"), path = "ops/no_memory.rs")]
pub mod memory;
#[cfg(not(feature = "cuda"))]
mod no_upload;
mod optimizer_state;
mod parallel;
mod quantized;
mod rotary;
mod rows;
mod sampling;
mod scaled_add;
mod scratch;
mod simd;
mod submission;
mod tensors;

pub use adamw::{AdamWParameter, AdamWStep, adamw};
pub use attention::{
    AttentionMask, KvCache, LayerCache, MaskRow, OutOfPages, PAGE_TOKENS, PageCounts, PagePool,
    PageShape, attention, rotary_attention, rotary_attention_of_chats,
};
pub use block::{
    Affine, BlockContext, BlockLoras, BlockWeights, FrozenLinear, GPU_HEADS, MOST_CHATS,
    block_cached, block_keeps, block_of_chats, blocks,
};
pub use cross_entropy::{cross_entropy, gpu_loss_rows};
#[cfg(feature = "cuda")]
pub use cuda::Upload;
pub use dropout::Dropout;
pub use embedding::embedding;
pub use gelu::gelu;
pub use layer_norm::layer_norm;
pub use learned::{
    Learned, WeightGradients, learned_cross_entropy, learned_embedding, learned_layer_norm,
    round_copies,
};
pub use linear::{linear, linear_gelu, linear_residual};
pub use logits::logits;
pub use lora_linear::{LoraOperand, lora_linear, lora_linear_of_chats};
pub use loss_scale::LossScale;
#[cfg(not(feature = "cuda"))]
pub use no_upload::Upload;
pub use optimizer_state::{OptimizerState, Progress};
pub use quantized::{Quantization, QuantizedWeight, Weight};
pub use rotary::{PositionIds, Rotation, rotary_qkv};
pub use rows::select_rows;
pub use sampling::{Draw, sample};
pub use scaled_add::scaled_add;
pub use submission::{Outcome, Submissions, Submitted};

#[cfg(test)]
mod tests;
