//! A whole block of the model, there and back: nothing is kept but what its backward needs, and no elementwise pass is made
//! that a matrix product could make on its way.

use candle_core::{Result, Tensor, bail};

use super::attention::Attention;
use super::gemm::Then;
use super::launch::Fresh;
use super::linear::{self, Linear, Low};
use super::rotary::turn;
use super::{decode, gelu, layer_norm, learned};
use crate::ops::block::{Affine, BlockContext, BlockLoras, BlockWeights, GPU_HEADS};
use crate::ops::rotary::{Rotation, Turn};
use crate::ops::{LayerCache, WeightGradients};

/// Whether the kernels can compute this block for hidden states like `x`.
pub(super) fn fits(
    x: &Tensor,
    weights: &BlockWeights,
    loras: &BlockLoras,
    rotation: &Rotation,
) -> Result<bool> {
    let (_, _, model) = x.dims3()?;
    let (inner, _) = weights.dense_h_to_4h.weight.dims2()?;
    let head = model / weights.heads;
    let pairs = head / 2 / rotation.rows;
    let norm = |Affine { weight, bias }: Affine| linear::is_frozen(x, weight, bias);
    let linears =
        [weights.query_key_value, weights.dense, weights.dense_h_to_4h, weights.dense_4h_to_h];
    Ok([weights.input_layernorm, weights.post_attention_layernorm].into_iter().all(norm)
        && linears.into_iter().all(|layer| linear::fits(x, layer))
        && loras.all().all(linear::fits_lora)
        && GPU_HEADS.contains(&head)
        && [model, inner].iter().all(|width| width.is_multiple_of(8))
        && pairs.is_multiple_of(4))
}

/// A layer norm.
struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl Norm {
    fn new(from: Affine, eps: f64) -> Self {
        Self { weight: from.weight.clone(), bias: from.bias.clone(), eps }
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        layer_norm::forward(x, &self.weight, &self.bias, self.eps).map(Fresh::tensor)
    }

    fn back(&self, x: &Tensor, dy: &Tensor) -> Result<Tensor> {
        layer_norm::backward(x, &self.weight, dy, self.eps).map(Fresh::tensor)
    }

    /// Puts aside what weight and bias learn from the gradient `dy` of the normalized `x`.
    fn learn(&self, x: &Tensor, dy: &Tensor, gradients: &WeightGradients) -> Result<()> {
        learned::norm([&self.weight, &self.bias], x, dy, self.eps, gradients)
    }
}

/// A block, and what goes through it beside the hidden states.
pub(super) struct Block {
    input_layernorm: Norm,
    query_key_value: Linear,
    dense: Linear,
    post_attention_layernorm: Norm,
    dense_h_to_4h: Linear,
    dense_4h_to_h: Linear,
    heads: usize,
    alpha: f32,
    rotation: Rotation,
    attention: Attention,
    /// Where the gradients of what learns go.
    gradients: Option<WeightGradients>,
    weights_learn: bool,
}

/// Of the adapters.
struct Lows {
    query_key_value: Option<Low>,
    dense: Option<Low>,
    dense_h_to_4h: Option<Low>,
    dense_4h_to_h: Option<Low>,
}

/// What the backward needs of the forward.
pub(super) struct Kept {
    /// The normalized input, `[batch, seq, model]`.
    normed: Tensor,
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
    lows: Lows,
    /// For weights that learn: what the two matrices of the MLP read. Adapters there make it again.
    mlp: Option<[Tensor; 2]>,
}

/// What comes out of `dense_h_to_4h`.
struct Inner {
    active: Tensor,
    /// What went into GELU, if it is kept.
    before: Option<Tensor>,
    low: Option<Low>,
}

/// What the last product is made of, and what is kept.
struct Inside {
    active: Tensor,
    residual: Tensor,
    kept: Option<Kept>,
}

impl Block {
    pub(super) fn new(
        x: &Tensor,
        (weights, loras): (&BlockWeights, &BlockLoras),
        context: &BlockContext,
    ) -> Result<Self> {
        let BlockWeights { heads, eps, alpha, .. } = *weights;
        Ok(Self {
            input_layernorm: Norm::new(weights.input_layernorm, eps),
            query_key_value: Linear::new(weights.query_key_value, loras.query_key_value),
            dense: Linear::new(weights.dense, loras.dense),
            post_attention_layernorm: Norm::new(weights.post_attention_layernorm, eps),
            dense_h_to_4h: Linear::new(weights.dense_h_to_4h, loras.dense_h_to_4h),
            dense_4h_to_h: Linear::new(weights.dense_4h_to_h, loras.dense_4h_to_h),
            heads,
            alpha: alpha as f32,
            rotation: context.rotation.clone(),
            attention: Attention::new(context.attention_mask, x, heads)?,
            gradients: context.gradients.cloned(),
            weights_learn: context.weights_learn,
        })
    }

    /// Keys and values go to `cache`; what the backward needs is kept where it is to run.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        cache: Option<LayerCache>,
        keep: bool,
    ) -> Result<(Fresh, Option<Kept>)> {
        let Inside { active, residual, mut kept } = self.inside(x, cache, keep)?;
        let (y, low) = self.dense_4h_to_h.forward(&active, Some((self.alpha, &residual)))?;
        if let Some(kept) = &mut kept {
            kept.lows.dense_4h_to_h = low;
        }
        Ok((y, kept))
    }

    /// What [`Self::forward`] keeps, to the bit, without the last product.
    pub(super) fn again(&self, x: &Tensor) -> Result<Kept> {
        let Inside { active, kept: Some(mut kept), .. } = self.inside(x, None, true)? else {
            bail!("a block kept nothing");
        };
        kept.lows.dense_4h_to_h = self.dense_4h_to_h.read_low(&active)?;
        Ok(kept)
    }

    fn inside(&self, x: &Tensor, cache: Option<LayerCache>, keep: bool) -> Result<Inside> {
        let normed = self.input_layernorm.forward(x)?;
        let linear = &self.query_key_value;
        let qkv = linear.product(&normed, Then::Bias(linear.bias()), None)?;
        let low = linear.read_low(&normed)?;
        let low_rank = match &low {
            Some(low) => low.for_turn(&qkv, x.dtype())?,
            None => None,
        };
        turn(&qkv, x, &self.rotation, self.heads, low_rank, Turn::Forward)?;
        let qkv = qkv.tensor();
        if let Some(cache) = cache {
            decode::append(&qkv, self.heads, cache)?;
        }
        let (read, log_sums) = self.attention.forward(&qkv)?;
        let (middle, low_of_dense) = self.dense.forward(&read, Some((self.alpha, &normed)))?;
        let middle = middle.tensor();

        let again = self.post_attention_layernorm.forward(&middle)?;
        let Inner { active, before, low: low_of_inner } = self.inner(&again, keep)?;
        let kept = before.map(|inner| {
            let lows = Lows {
                query_key_value: low,
                dense: low_of_dense,
                dense_h_to_4h: low_of_inner,
                dense_4h_to_h: None,
            };
            let mlp = self.weights_learn.then(|| [again.clone(), active.clone()]);
            Kept { normed, qkv, read, log_sums, middle, inner, lows, mlp }
        });
        Ok(Inside { active, residual: again, kept })
    }

    /// `x` is the normalized middle.
    fn inner(&self, x: &Tensor, keep: bool) -> Result<Inner> {
        let linear = &self.dense_h_to_4h;
        if linear.has_adapter() {
            // Its answer must be there before GELU.
            let (inner, low) = linear.forward(x, None)?;
            let inner = inner.tensor();
            if keep {
                return Ok(Inner { active: gelu::forward(&inner)?, before: Some(inner), low });
            }
            gelu::in_place(&inner)?;
            return Ok(Inner { active: inner, before: None, low });
        }
        if !keep {
            let active = linear.product(x, Then::BiasGelu(linear.bias()), None)?.tensor();
            return Ok(Inner { active, before: None, low: None });
        }
        let (batch, seq, _) = x.dims3()?;
        let shape = (batch, seq, linear.width()?);
        let before = Fresh::new(shape, x.dtype(), x.device().as_cuda_device()?)?;
        let then = Then::BiasGeluKeep(linear.bias(), &before);
        let active = linear.product(x, then, None)?.tensor();
        Ok(Inner { active, before: Some(before.tensor()), low: None })
    }

    /// The gradient of `x`, if it is wanted; those of what learns are put aside.
    pub(super) fn backward(
        &self,
        x: &Tensor,
        kept: Kept,
        dy: &Tensor,
        x_wanted: bool,
    ) -> Result<Option<Tensor>> {
        let alpha = self.alpha;
        let gradients = self.gradients.as_ref();
        let learned = gradients.filter(|_| self.weights_learn);
        let Kept { normed, qkv, read, log_sums, middle, inner, lows, mlp } = kept;

        let (linear, low) = (&self.dense_4h_to_h, lows.dense_4h_to_h);
        let d_low = linear.learn_adapter(low.as_ref(), || gelu::forward(&inner), dy, gradients)?;
        let d_inner = linear.back(dy, d_low.as_ref(), None)?;
        gelu::slope(&d_inner, &inner)?;
        let d_inner = d_inner.tensor();
        drop(inner);
        let (linear, low) = (&self.dense_h_to_4h, lows.dense_h_to_4h);
        let norm = &self.post_attention_layernorm;
        let again = || norm.forward(&middle);
        let d_low = linear.learn_adapter(low.as_ref(), again, &d_inner, gradients)?;
        let d_again = linear.back(&d_inner, d_low.as_ref(), Some((alpha, dy)))?.tensor();
        if let (Some(gradients), Some([again, active])) = (learned, mlp) {
            self.dense_4h_to_h.learn(&active, dy, gradients)?;
            self.dense_h_to_4h.learn(&again, &d_inner, gradients)?;
            norm.learn(&middle, &d_again, gradients)?;
        }
        drop(d_inner);
        let d_middle = norm.back(&middle, &d_again)?;
        drop((middle, d_again));

        let (linear, low) = (&self.dense, lows.dense);
        let d_low =
            linear.learn_adapter(low.as_ref(), || Ok(read.clone()), &d_middle, gradients)?;
        let d_read = linear.back(&d_middle, d_low.as_ref(), None)?.tensor();
        let d_qkv = self.attention.backward(&qkv, &read, &log_sums, &d_read, &self.rotation)?;
        let d_qkv = d_qkv.tensor();
        drop((qkv, d_read));
        if let Some(gradients) = learned {
            self.dense.learn(&read, &d_middle, gradients)?;
            self.query_key_value.learn(&normed, &d_qkv, gradients)?;
        }

        let (linear, low) = (&self.query_key_value, lows.query_key_value);
        let d_low = linear.learn_adapter(low.as_ref(), || Ok(normed.clone()), &d_qkv, gradients)?;
        if !x_wanted {
            return Ok(None);
        }
        let d_normed = linear.back(&d_qkv, d_low.as_ref(), Some((alpha, &d_middle)))?.tensor();
        drop((d_qkv, d_middle));
        let norm = &self.input_layernorm;
        if let Some(gradients) = learned {
            norm.learn(x, &d_normed, gradients)?;
        }
        norm.back(x, &d_normed).map(Some)
    }
}
