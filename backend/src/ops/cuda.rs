//! The ops on an NVIDIA GPU: kernels of our own and cuBLASLt's matrix products with what follows them fused in.
//!
//! Functions here take and give plain device tensors and know nothing of gradients; a `..._backward` stands beside each
//! that has one. [`block`] strings them together for a whole block of the model, and [`stack`] all blocks into one op, which
//! is what candle's tape sees: the tape itself costs three launches and a copy for every gradient that it passes on.

#![expect(unsafe_code, reason = "kernels are launched with raw pointers")]

mod adamw;
mod arrivals;
mod attention;
mod attention_hopper;
mod block;
mod card;
mod chats;
mod cross_entropy;
mod decode;
mod gelu;
mod gemm;
mod launch;
mod layer_norm;
pub(super) mod learned;
mod linear;
mod lora;
mod node;
mod page_locked;
mod product;
mod quantized;
mod rotary;
mod rows;
mod sampling;
mod stack;
mod upload;

use candle_core::{DType, Tensor};

pub(super) use adamw::adamw;
pub(super) use arrivals::{Arrival, Arrivals};
pub(super) use chats::{attention_of_chats, block_of_chats};
pub(super) use cross_entropy::cross_entropy;
pub(super) use decode::logits;
pub(super) use launch::Table;
pub(super) use layer_norm::layer_norm;
pub(super) use quantized::{dequantize, quantize};
pub(super) use rows::select_rows;
pub(super) use sampling::sample;
pub(super) use stack::{block_cached, blocks};
pub use upload::Upload;

/// Whether the kernels can read all of `tensors`: one GPU, one of f16 and bf16, without gaps.
pub(super) fn all_half(tensors: &[&Tensor]) -> bool {
    let Some(first) = tensors.first() else {
        return false;
    };
    matches!(first.dtype(), DType::F16 | DType::BF16)
        && tensors.iter().all(|tensor| {
            tensor.device().is_cuda() && tensor.dtype() == first.dtype() && tensor.is_contiguous()
        })
}
