//! Every op out of candle's own differentiable operations: what runs where no fused form does, and
//! what the fused forms are tested against.
//!
//! candle's fused softmax, layer norm and rotary embedding drop the gradient without an error; none
//! is used here.

use candle_core::{D, DType, Result, Tensor};
use candle_nn::ops::softmax;

use super::attention::{AttentionMask, MaskRow};
use super::gelu::{CUBIC, INNER};
use super::lora_linear::LoraOperand;
use super::rotary::Rotation;

/// See [`super::linear`].
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let mut shape = x.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    let y = x.contiguous()?.reshape(((), inputs))?.matmul(&weight.t()?)?; // [rows, out]
    match bias {
        Some(bias) => y.broadcast_add(bias),
        None => Ok(y),
    }?
    .reshape(shape)
}

/// See [`super::lora_linear()`].
pub fn lora_linear(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    lora: &LoraOperand,
) -> Result<Tensor> {
    let frozen = linear(x, &weight.detach(), bias.map(Tensor::detach).as_ref())?;
    let read = match lora.dropout {
        Some(dropout) => (x * dropout.mask(x.dims(), x.device(), x.dtype())?)?,
        None => x.clone(),
    };
    let low = linear(&read.to_dtype(lora.a.dtype())?, lora.a, None)?; // [.., rank]
    frozen + (linear(&low, lora.b, None)? * lora.scale)?.to_dtype(x.dtype())?
}

/// See [`super::layer_norm()`].
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let wide = x.to_dtype(DType::F32)?;
    let centred = wide.broadcast_sub(&wide.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?; // [.., 1]
    let normal = centred.broadcast_div(&(variance + eps)?.sqrt()?)?;
    normal.to_dtype(x.dtype())?.broadcast_mul(weight)?.broadcast_add(bias)
}

/// See [`super::gelu()`].
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    // f32 inside: in f16 the gradient is NaN from about 40 on.
    let wide = x.to_dtype(DType::F32)?;
    let inner = ((&wide * INNER)? * ((wide.sqr()? * CUBIC)? + 1.0)?)?;
    ((wide * 0.5)? * (inner.tanh()? + 1.0)?)?.to_dtype(x.dtype())
}

/// See [`super::scaled_add()`].
pub fn scaled_add(x: &Tensor, residual: &Tensor, alpha: f64) -> Result<Tensor> {
    x + (residual * alpha)?
}

/// See [`super::rotary_qkv`].
pub fn rotary_qkv(qkv: &Tensor, rotation: &Rotation, heads: usize) -> Result<Tensor> {
    let (batch, seq, width) = qkv.dims3()?;
    let head = width / (3 * heads);
    let split = qkv.reshape((batch, seq, heads, 3, head))?.permute((3, 0, 2, 1, 4))?; // [3, batch, heads, seq, head]
    let turn = |kind| -> Result<Tensor> {
        let x = split.get(kind)?.contiguous()?;
        let (rows, pairs) = (rotation.rows, head / 2 / rotation.rows);
        let parts = x.reshape((batch, heads, seq, rows, 2, pairs))?;
        let left = parts.narrow(4, 0, 1)?.squeeze(4)?; // [batch, heads, seq, rows, pairs]
        let right = parts.narrow(4, 1, 1)?.squeeze(4)?;
        let angles = |table: &Tensor| -> Result<Tensor> {
            table.reshape((batch, 1, seq, rows, pairs))?.to_dtype(x.dtype())
        };
        let (cos, sin) = (angles(&rotation.cos)?, angles(&rotation.sin)?);
        let turned_left = (left.broadcast_mul(&cos)? - right.broadcast_mul(&sin)?)?;
        let turned_right = (right.broadcast_mul(&cos)? + left.broadcast_mul(&sin)?)?;
        Tensor::stack(&[turned_left, turned_right], 4)?.reshape((batch, heads, seq, head))
    };
    Tensor::stack(&[turn(0)?, turn(1)?, split.get(2)?.contiguous()?], 0)
}

/// See [`super::attention()`].
pub fn attention(qkv: &Tensor, mask: &AttentionMask) -> Result<Tensor> {
    let (_, batch, _, seq, _) = qkv.dims5()?;
    let spans = mask.spans((batch, seq))?;
    if spans.len() == batch {
        return attend(&qkv.get(0)?, &qkv.get(1)?, &qkv.get(2)?, &mask.rows, 0);
    }
    // Packed: each sequence by itself.
    let reads = spans.iter().map(|span| {
        let own = qkv.narrow(3, span.start, span.len)?; // [3, 1, heads, len, head]
        attend(&own.get(0)?, &own.get(1)?, &own.get(2)?, &[span.mask], 0)
    });
    Tensor::cat(&reads.collect::<Result<Vec<_>>>()?, 1)
}

/// Queries `[batch, heads, queries, head]`, the first at position `past`, read from keys and values
/// `[batch, heads, keys, head]`: `[batch, queries, model]`.
pub(super) fn attend(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    mask: &[MaskRow],
    past: usize,
) -> Result<Tensor> {
    let (batch, heads, queries, head) = query.dims4()?;
    let keys = key.dims()[2];
    let (mut hidden, mut answers) = (Vec::new(), Vec::new());
    for rule in mask {
        for position in past..past + queries {
            // A query in the padding sees all, lest its softmax be NaN; its answer becomes 0.
            let real = position >= rule.padding;
            answers.push(if real { 1.0f32 } else { 0.0 });
            let end = (position + 1).max(rule.padding + rule.context);
            hidden.extend((0..keys).map(|key| {
                if !real || (key >= rule.padding && key < end) { 0.0 } else { f32::NEG_INFINITY }
            }));
        }
    }
    let hidden = Tensor::from_vec(hidden, (batch, 1, queries, keys), query.device())?;
    let answers = Tensor::from_vec(answers, (batch, queries, 1), query.device())?;

    let scores = query.contiguous()?.matmul(&key.contiguous()?.t()?)?; // [batch, heads, queries, keys]
    let scores = (scores.to_dtype(DType::F32)? * (head as f64).sqrt().recip())?;
    let weights = softmax(&scores.broadcast_add(&hidden)?, D::Minus1)?.to_dtype(value.dtype())?;
    let read = weights.matmul(&value.contiguous()?)?; // [batch, heads, queries, head]
    let read = read.transpose(1, 2)?.contiguous()?.reshape((batch, queries, heads * head))?;
    read.broadcast_mul(&answers.to_dtype(read.dtype())?)
}

/// See [`super::cross_entropy()`].
pub fn cross_entropy(hidden: &Tensor, head_weight: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let targets = Tensor::new(targets, hidden.device())?.unsqueeze(1)?; // [rows, 1]
    let logits = linear(hidden, head_weight, None)?.to_dtype(DType::F32)?; // [rows, vocab]
    let largest = logits.max_keepdim(D::Minus1)?.detach();
    let sums = logits.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let log_sums = (sums + largest)?; // [rows, 1]
    (log_sums - logits.gather(&targets, D::Minus1)?)?.mean_all()
}
