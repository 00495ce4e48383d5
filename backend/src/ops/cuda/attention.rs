//! Flash attention (Dao 2023, "FlashAttention-2") with ChatGLM's mask, see `kernels/attention.cu` and, for a Hopper,
//! `kernels/attention_hopper.cu`.

use candle_core::{DType, Result, Tensor, bail};

use super::attention_hopper::{self, Sizes};
use super::launch::{Arg, Fresh, Module, Threads, device_of, launch};
use super::rotary::turn;
use crate::ops::attention::AttentionMask;
use crate::ops::rotary::{Rotation, Turn};

/// Queries of a tile of the forward; long sequences take the larger one.
const TILES: [usize; 2] = [64, 128];
/// Queries, or keys, of a tile of the backward.
const TILE: usize = 64;
/// Blocks of the larger tile from which on it is the faster one: three for each processor of a large GPU.
const ENOUGH_BLOCKS: usize = 400;
/// Tokens of the longest sequence up to which the forward without Hopper's products is the faster one.
const SHORT: usize = 128;

/// Attention of one batch: queries and keys are turned already.
pub(super) struct Attention {
    /// Start, length, padding and context of each sequence, `[sequences, 4]`, u32.
    spans: Tensor,
    /// Tokens of the longest.
    longest: usize,
    /// All tokens.
    tokens: usize,
    heads: usize,
    head: usize,
}

impl Attention {
    /// For hidden states like `x` `[batch, seq, model]`.
    pub(super) fn new(mask: &AttentionMask, x: &Tensor, heads: usize) -> Result<Self> {
        let (batch, seq, model) = x.dims3()?;
        let longest = mask.longest(seq);
        let spans = mask.on_device((batch, seq), x.device())?.clone();
        Ok(Self { spans, longest, tokens: batch * seq, heads, head: model / heads })
    }

    /// A block for each head, sequence, and tile of so many positions.
    fn grid(&self, tile: usize) -> Result<(usize, usize, usize)> {
        let (sequences, _) = self.spans.dims2()?;
        Ok((self.heads, sequences, self.longest.div_ceil(tile)))
    }

    fn sizes(&self) -> Sizes<'_> {
        let Self { ref spans, longest, tokens, heads, .. } = *self;
        Sizes { spans, longest, tokens, heads, scale: self.scale() }
    }

    fn scale(&self) -> Arg {
        Arg::F32((self.head as f32).sqrt().recip())
    }

    /// What each position reads `[batch, seq, model]`, and the logarithms of the sums of exponentials
    /// `[heads, batch * seq]`, of `qkv` `[batch, seq, heads * 3 * head]`.
    pub(super) fn forward(&self, qkv: &Tensor) -> Result<(Tensor, Tensor)> {
        let Self { tokens, heads, head, .. } = *self;
        let device = device_of(qkv)?;
        let (batch, seq, _) = qkv.dims3()?;
        let read = Fresh::new((batch, seq, heads * head), qkv.dtype(), device)?;
        let log_sums = Fresh::new((heads, tokens), DType::F32, device)?;
        if self.longest > SHORT && attention_hopper::fits(device, head)? {
            attention_hopper::forward(qkv, &read, &log_sums, self.sizes())?;
            return Ok((read.tensor(), log_sums.tensor()));
        }
        let long = heads * tokens.div_ceil(TILES[1]) >= ENOUGH_BLOCKS && self.longest > TILES[0];
        let tile = TILES[usize::from(long)];
        let shared = if long { 512 } else { 640 } * head;
        launch(
            device,
            Module::Attention,
            ("attention_forward", forward_ending(qkv.dtype(), head, long)?),
            Threads::new(self.grid(tile)?, 128).shared(shared),
            &[
                Arg::of(qkv)?,
                Arg::of(&read)?,
                Arg::of(&log_sums)?,
                Arg::of(&self.spans)?,
                Arg::size(tokens),
                Arg::size(heads),
                self.scale(),
            ],
        )?;
        Ok((read.tensor(), log_sums.tensor()))
    }

    /// The gradient of `qkv` before its queries and keys were turned by `rotation`, from what the forward took and gave.
    pub(super) fn backward(
        &self,
        qkv: &Tensor,
        read: &Tensor,
        log_sums: &Tensor,
        d_read: &Tensor,
        rotation: &Rotation,
    ) -> Result<Fresh> {
        let Self { tokens, heads, head, .. } = *self;
        let device = device_of(qkv)?;
        let rows = tokens * heads;
        let ending = ending(qkv.dtype(), head)?;
        let deltas = Fresh::new((heads, tokens), DType::F32, device)?;
        launch(
            device,
            Module::Attention,
            ("attention_delta", ending),
            Threads::new(((rows * head).div_ceil(2048), 1, 1), 256).early(),
            &[
                Arg::of(read)?,
                Arg::of(d_read)?,
                Arg::of(&deltas)?,
                Arg::size(tokens),
                Arg::size(heads),
                Arg::size(rows),
            ],
        )?;
        let d_qkv = Fresh::new(qkv.shape(), qkv.dtype(), device)?;
        let is_turned = if attention_hopper::fits(device, head)? {
            let sums = (log_sums, &deltas);
            attention_hopper::backward((qkv, d_read), sums, &d_qkv, rotation, self.sizes())?
        } else {
            for (name, shared) in [
                ("attention_backward_keys", 768 * head + 1024),
                ("attention_backward_queries", 768 * head),
            ] {
                launch(
                    device,
                    Module::Attention,
                    (name, ending),
                    Threads::new(self.grid(TILE)?, 128).shared(shared),
                    &[
                        Arg::of(qkv)?,
                        Arg::of(d_read)?,
                        Arg::of(log_sums)?,
                        Arg::of(&deltas)?,
                        Arg::of(&self.spans)?,
                        Arg::of(&d_qkv)?,
                        Arg::size(tokens),
                        Arg::size(heads),
                        self.scale(),
                    ],
                )?;
            }
            false
        };
        if !is_turned {
            turn(&d_qkv, qkv, rotation, heads, None, Turn::Back)?;
        }
        Ok(d_qkv)
    }
}

/// What the names of the kernels for a type and a size of heads end in.
pub(super) fn ending(dtype: DType, head: usize) -> Result<&'static str> {
    Ok(match (dtype, head) {
        (DType::F16, 32) => "_f16_32",
        (DType::F16, 64) => "_f16_64",
        (DType::F16, 128) => "_f16_128",
        (DType::BF16, 32) => "_bf16_32",
        (DType::BF16, 64) => "_bf16_64",
        (DType::BF16, 128) => "_bf16_128",
        _ => bail!("no attention kernel for {dtype:?} and heads of {head}"),
    })
}

fn forward_ending(dtype: DType, head: usize, long: bool) -> Result<&'static str> {
    Ok(match (dtype, head, long) {
        (DType::F16, 32, false) => "_f16_32_q64",
        (DType::F16, 64, false) => "_f16_64_q64",
        (DType::F16, 128, false) => "_f16_128_q64",
        (DType::BF16, 32, false) => "_bf16_32_q64",
        (DType::BF16, 64, false) => "_bf16_64_q64",
        (DType::BF16, 128, false) => "_bf16_128_q64",
        (DType::F16, 32, true) => "_f16_32_q128",
        (DType::F16, 64, true) => "_f16_64_q128",
        (DType::F16, 128, true) => "_f16_128_q128",
        (DType::BF16, 32, true) => "_bf16_32_q128",
        (DType::BF16, 64, true) => "_bf16_64_q128",
        (DType::BF16, 128, true) => "_bf16_128_q128",
        _ => bail!("no attention kernel for {dtype:?} and heads of {head}"),
    })
}
