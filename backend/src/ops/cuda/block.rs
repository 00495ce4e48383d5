//! A whole block of the model as one op: nothing is kept but what its backward needs, and no elementwise pass is made
//! that a matrix product could make on its way.
//!
//! The tape sees blocks, not what is in them: it pays for every gradient that it passes on with three launches and a
//! copy.

use candle_core::{DType, Result, Tensor, bail};

use super::all_half;
use super::attention::Attention;
use super::gemm::{Gemm, Then, Way};
use super::launch::Fresh;
use super::node::{Backward, Gradients, record};
use super::rotary::{self, LowRank, turn};
use super::{decode, gelu, layer_norm, learned, lora};
use crate::ops::block::{Affine, BlockContext, BlockWeights, FrozenLinear, GPU_HEADS};
use crate::ops::dropout::Dropout;
use crate::ops::rotary::{Rotation, Turn};
use crate::ops::{LayerCache, LoraOperand, Weight, WeightGradients};

/// See [`crate::ops::block()`].
pub(crate) fn block(
    x: &Tensor,
    weights: &BlockWeights,
    context: &BlockContext,
) -> Result<Option<Tensor>> {
    let BlockContext { lora, checkpoint, .. } = *context;
    if !fits(x, weights, context)? {
        return Ok(None);
    }
    let tracked = x.track_op() || lora.is_some_and(|lora| lora.a.track_op() || lora.b.track_op());
    let block = Block::new(x, weights, context)?;
    let (y, kept) = block.forward(&x.detach(), None, tracked && !checkpoint)?;
    if !tracked {
        return Ok(Some(y.tensor()));
    }
    let args = match lora {
        Some(lora) => [x, lora.a, lora.b],
        None => [x; 3],
    };
    let backward = BlockBackward { block, x: x.detach(), x_tracked: x.track_op(), kept };
    record(y, args, backward).map(Some)
}

/// The same for a chat: the prompt at once, then token by token.
pub(crate) fn block_cached(
    x: &Tensor,
    weights: &BlockWeights,
    context: &BlockContext,
    cache: LayerCache,
) -> Result<Option<Tensor>> {
    let BlockContext { rotation, attention_mask, lora, .. } = context;
    let (batch, seq, _) = x.dims3()?;
    if batch != 1
        || attention_mask.rows.iter().any(|row| row.padding > 0)
        || !fits(x, weights, context)?
        || !cache.is_on_gpu_in(x.dtype())
    {
        return Ok(None);
    }
    if seq == 1 {
        return decode::block(&x.detach(), weights, rotation, *lora, cache).map(Some);
    }
    if !cache.is_empty() {
        return Ok(None);
    }
    let block = Block::new(x, weights, context)?;
    let (y, _) = block.forward(&x.detach(), Some(cache), false)?;
    Ok(Some(y.tensor()))
}

/// Whether the kernels can compute this block.
pub(super) fn fits(x: &Tensor, weights: &BlockWeights, context: &BlockContext) -> Result<bool> {
    let (_, _, model) = x.dims3()?;
    let head = model / weights.heads;
    let pairs = head / 2 / context.rotation.rows;
    let frozen = |weight: &Tensor, bias: &Tensor| {
        !weight.track_op() && !bias.track_op() && all_half(&[x, weight, bias])
    };
    let norm = |Affine { weight, bias }: Affine| frozen(weight, bias);
    let linear = |FrozenLinear { weight, bias }: FrozenLinear| match weight {
        Weight::Dense(weight) => frozen(weight, bias),
        Weight::Quantized(weight) => weight.dtype() == x.dtype() && frozen(bias, bias),
    };
    let lora = context.lora.as_ref().is_none_or(fits_lora);
    let linears =
        [weights.query_key_value, weights.dense, weights.dense_h_to_4h, weights.dense_4h_to_h];
    Ok([weights.input_layernorm, weights.post_attention_layernorm].into_iter().all(norm)
        && linears.into_iter().all(linear)
        && lora
        && GPU_HEADS.contains(&head)
        && model.is_multiple_of(8)
        && pairs.is_multiple_of(4))
}

/// Whether the kernels can add this adapter.
pub(super) fn fits_lora(lora: &LoraOperand) -> bool {
    [lora.a, lora.b].iter().all(|it| it.dtype() == DType::F32 && it.is_contiguous())
}

/// Of a layer norm.
struct Norm {
    weight: Tensor,
    bias: Tensor,
}

impl Norm {
    fn new(from: Affine) -> Self {
        Self { weight: from.weight.clone(), bias: from.bias.clone() }
    }

    /// Puts aside what weight and bias learn from the gradient `dy` of the normalized `x`.
    fn learn(&self, x: &Tensor, dy: &Tensor, eps: f64, gradients: &WeightGradients) -> Result<()> {
        learned::norm([&self.weight, &self.bias], x, dy, eps, gradients)
    }
}

/// Of a linear layer.
struct Linear {
    weight: Weight,
    bias: Tensor,
}

impl Linear {
    fn new(from: FrozenLinear) -> Self {
        Self { weight: from.weight.clone(), bias: from.bias.clone() }
    }

    /// `then(x Wᵀ)`, `then` with the bias or without.
    fn forward(&self, x: &Tensor, then: Then, plus: Option<(f32, &Tensor)>) -> Result<Fresh> {
        let weight = self.weight.dense()?;
        Gemm { then, residual: plus, ..Gemm::new(x, &weight, Way::Forward) }.run()
    }

    /// Puts aside what weight and bias learn from the gradient `dy` of the result of `x`.
    fn learn(&self, x: &Tensor, dy: &Tensor, gradients: &WeightGradients) -> Result<()> {
        let Weight::Dense(weight) = &self.weight else {
            bail!("a weight in few bits cannot learn");
        };
        learned::linear((weight, &self.bias), x, dy, gradients)
    }

    /// `dy W`.
    fn back(&self, dy: &Tensor, plus: Option<(f32, &Tensor)>) -> Result<Fresh> {
        let weight = self.weight.dense()?;
        Gemm { residual: plus, ..Gemm::new(dy, &weight, Way::Back) }.run()
    }
}

struct Weights {
    input_layernorm: Norm,
    query_key_value: Linear,
    dense: Linear,
    post_attention_layernorm: Norm,
    dense_h_to_4h: Linear,
    dense_4h_to_h: Linear,
    heads: usize,
    eps: f64,
    alpha: f32,
}

impl Weights {
    fn new(from: &BlockWeights) -> Self {
        Self {
            input_layernorm: Norm::new(from.input_layernorm),
            query_key_value: Linear::new(from.query_key_value),
            dense: Linear::new(from.dense),
            post_attention_layernorm: Norm::new(from.post_attention_layernorm),
            dense_h_to_4h: Linear::new(from.dense_h_to_4h),
            dense_4h_to_h: Linear::new(from.dense_4h_to_h),
            heads: from.heads,
            eps: from.eps,
            alpha: from.alpha as f32,
        }
    }
}

struct Lora {
    /// `[rank, in]`, f32
    a: Tensor,
    /// `[out, rank]`, f32
    b: Tensor,
    scale: f32,
    dropout: Option<Dropout>,
}

struct Block {
    weights: Weights,
    rotation: Rotation,
    attention: Attention,
    lora: Option<Lora>,
    /// Where the gradients of the weights go, if they learn.
    learned: Option<WeightGradients>,
}

/// An adapter's way through its ranks.
struct Low {
    /// What it read, scaled, `[rows, rank]`, f32.
    read: Tensor,
    /// B turned, `[rank, out]`.
    b: Tensor,
}

/// What the backward needs of the forward.
struct Kept {
    /// The normalized input, `[batch, seq, model]`.
    normed: Tensor,
    /// Of the adapter.
    low: Option<Low>,
    /// Turned, `[batch, seq, heads * 3 * head]`.
    qkv: Tensor,
    /// What attention read, `[batch, seq, model]`.
    read: Tensor,
    /// Of its softmax, `[heads, batch * seq]`, f32.
    log_sums: Tensor,
    /// After attention, `[batch, seq, model]`.
    middle: Tensor,
    /// What went into GELU, `[batch, seq, inner]`.
    inner: Tensor,
    /// For weights that learn: what the two matrices of the MLP read.
    mlp: Option<[Tensor; 2]>,
}

impl Block {
    fn new(x: &Tensor, weights: &BlockWeights, context: &BlockContext) -> Result<Self> {
        Ok(Self {
            weights: Weights::new(weights),
            rotation: context.rotation.clone(),
            attention: Attention::new(context.attention_mask, x, weights.heads)?,
            lora: context.lora.map(|lora| Lora {
                a: lora.a.detach(),
                b: lora.b.detach(),
                scale: lora.scale as f32,
                dropout: lora.dropout.filter(|dropout| dropout.p > 0.0),
            }),
            learned: context.learned.cloned(),
        })
    }

    /// Keys and values go to `cache`; what the backward needs is kept where it is to run.
    fn forward(
        &self,
        x: &Tensor,
        cache: Option<LayerCache>,
        keep: bool,
    ) -> Result<(Fresh, Option<Kept>)> {
        let Weights { eps, alpha, heads, .. } = self.weights;
        let weights = &self.weights;
        let norm = &weights.input_layernorm;
        let normed = layer_norm::forward(x, &norm.weight, &norm.bias, eps)?.tensor();

        let linear = &weights.query_key_value;
        let qkv = linear.forward(&normed, Then::Bias(&linear.bias), None)?;
        let low = self.add_adapter(&normed, &qkv)?;
        let low_rank = low.as_ref().map(|Low { read, b }| LowRank { low: read, b });
        turn(&qkv, x, &self.rotation, heads, low_rank, Turn::Forward)?;
        let qkv = qkv.tensor();
        if let Some(cache) = cache {
            decode::append(&qkv, heads, cache)?;
        }
        let (read, log_sums) = self.attention.forward(&qkv)?;
        let linear = &weights.dense;
        let middle =
            linear.forward(&read, Then::Bias(&linear.bias), Some((alpha, &normed)))?.tensor();

        let norm = &weights.post_attention_layernorm;
        let again = layer_norm::forward(&middle, &norm.weight, &norm.bias, eps)?.tensor();
        let (up, down) = (&weights.dense_h_to_4h, &weights.dense_4h_to_h);
        let finish =
            |active: &Tensor| down.forward(active, Then::Bias(&down.bias), Some((alpha, &again)));
        if !keep {
            let active = up.forward(&again, Then::BiasGelu(&up.bias), None)?.tensor();
            return Ok((finish(&active)?, None));
        }
        let (inner_size, _) = up.weight.dims2()?;
        let (batch, seq, _) = x.dims3()?;
        let inner = Fresh::new((batch, seq, inner_size), x.dtype(), x.device().as_cuda_device()?)?;
        let active = up.forward(&again, Then::BiasGeluKeep(&up.bias, &inner), None)?.tensor();
        let y = finish(&active)?;
        let inner = inner.tensor();
        let mlp = self.learned.is_some().then_some([again, active]);
        Ok((y, Some(Kept { normed, low, qkv, read, log_sums, middle, inner, mlp })))
    }

    /// Adds the adapter's answer of the ranks that [`turn`] does not add; gives what the adapter reads.
    fn add_adapter(&self, normed: &Tensor, qkv: &Fresh) -> Result<Option<Low>> {
        let Some(lora) = &self.lora else {
            return Ok(None);
        };
        let read = lora::down(normed, &lora.a, lora.scale, lora.dropout)?;
        let b = lora::transpose(&lora.b)?;
        lora::up(qkv, normed.dtype(), &read, &b, rotary::RANKS, None)?;
        Ok(Some(Low { read, b }))
    }

    /// The gradients of `x` (if it is wanted), A and B.
    fn backward(&self, x: &Tensor, kept: &Kept, dy: &Tensor, x_wanted: bool) -> Result<Gradients> {
        let Weights { eps, alpha, .. } = self.weights;
        let weights = &self.weights;
        let d_inner = weights.dense_4h_to_h.back(dy, None)?;
        gelu::slope(&d_inner, &kept.inner)?;
        let d_inner = d_inner.tensor();
        let d_again = weights.dense_h_to_4h.back(&d_inner, Some((alpha, dy)))?.tensor();
        let norm = &weights.post_attention_layernorm;
        let learned = self.learned.as_ref();
        if let (Some(gradients), Some([again, active])) = (learned, &kept.mlp) {
            weights.dense_4h_to_h.learn(active, dy, gradients)?;
            weights.dense_h_to_4h.learn(again, &d_inner, gradients)?;
            norm.learn(&kept.middle, &d_again, eps, gradients)?;
        }
        drop(d_inner);
        let d_middle = layer_norm::backward(&kept.middle, &norm.weight, &d_again, eps)?.tensor();
        drop(d_again);

        let d_read = weights.dense.back(&d_middle, None)?.tensor();
        let Kept { qkv, read, log_sums, .. } = kept;
        let d_qkv = self.attention.backward(qkv, read, log_sums, &d_read, &self.rotation)?.tensor();
        if let Some(gradients) = learned {
            weights.dense.learn(&kept.read, &d_middle, gradients)?;
            weights.query_key_value.learn(&kept.normed, &d_qkv, gradients)?;
        }

        let (mut d_a, mut d_b, mut d_low) = (None, None, None);
        if let (Some(lora), Some(low)) = (&self.lora, &kept.low) {
            let (d, of_b) = lora::back(&d_qkv, &low.read, &low.b, lora.scale)?;
            d_b = Some(of_b);
            d_a = Some(lora::a_gradient(&kept.normed, &d, lora.dropout)?);
            d_low = Some(d);
        }
        if !x_wanted {
            return Ok((None, d_a, d_b));
        }
        let plus = Some((alpha, &d_middle));
        let d_normed = weights.query_key_value.back(&d_qkv, plus)?.tensor();
        if let (Some(lora), Some(d_low)) = (&self.lora, &d_low) {
            lora::up(&d_normed, x.dtype(), d_low, &lora.a, 0, lora.dropout)?;
        }
        let norm = &weights.input_layernorm;
        if let Some(gradients) = learned {
            norm.learn(x, &d_normed, eps, gradients)?;
        }
        let dx = layer_norm::backward(x, &norm.weight, &d_normed, eps)?;
        Ok((Some(dx.tensor()), d_a, d_b))
    }
}

struct BlockBackward {
    block: Block,
    x: Tensor,
    x_tracked: bool,
    /// Nothing, if the block is to be computed again.
    kept: Option<Kept>,
}

impl Backward for BlockBackward {
    fn name(&self) -> &'static str {
        "block"
    }

    fn backward(&self, dy: &Tensor) -> Result<Gradients> {
        if let Some(kept) = &self.kept {
            return self.block.backward(&self.x, kept, dy, self.x_tracked);
        }
        let (_, Some(kept)) = self.block.forward(&self.x, None, true)? else {
            bail!("a block kept nothing");
        };
        self.block.backward(&self.x, &kept, dy, self.x_tracked)
    }
}
