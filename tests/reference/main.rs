//! What Weft computes, held to what the original code computed: hidden states, logits, losses, LoRA gradients,
//! a training trajectory and greedy answers, in f32 on the CPU.
//!
//! `mini` is a fixture and always there; the larger models are read where the reference data is.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod forward;
mod golden;
mod greedy;
mod lora;
mod quantized;
