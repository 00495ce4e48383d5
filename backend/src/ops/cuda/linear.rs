//! A linear layer of a block and the adapter beside it, there and back.

use candle_core::{DType, Result, Tensor, bail};

use super::gemm::{Gemm, Then, Way};
use super::launch::Fresh;
use super::rotary::{self, LowRank};
use super::{all_half, learned, lora};
use crate::ops::block::FrozenLinear;
use crate::ops::dropout::Dropout;
use crate::ops::{LoraOperand, Weight, WeightGradients};

/// Whether the kernels can compute this layer for an input like `x`.
pub(super) fn fits(x: &Tensor, FrozenLinear { weight, bias }: FrozenLinear) -> bool {
    match weight {
        Weight::Dense(weight) => is_frozen(x, weight, bias),
        Weight::Quantized(weight) => weight.dtype() == x.dtype() && is_frozen(x, bias, bias),
    }
}

/// Whether a weight and a bias are on no tape, and of the type of `x`, half.
pub(super) fn is_frozen(x: &Tensor, weight: &Tensor, bias: &Tensor) -> bool {
    !weight.track_op() && !bias.track_op() && all_half(&[x, weight, bias])
}

/// Whether the kernels can add this adapter.
pub(super) fn fits_lora(lora: LoraOperand) -> bool {
    [lora.a, lora.b].iter().all(|it| it.dtype() == DType::F32 && it.is_contiguous())
}

/// A linear layer, and what goes along with it in one pass.
pub(super) struct Linear {
    weight: Weight,
    bias: Tensor,
    lora: Option<Lora>,
}

struct Lora {
    /// `[rank, in]`, f32
    a: Tensor,
    /// `[out, rank]`, f32
    b: Tensor,
    scale: f32,
    dropout: Option<Dropout>,
}

/// An adapter's way through its ranks.
pub(super) struct Low {
    /// What it read, scaled, `[rows, rank]`, f32.
    read: Tensor,
    /// B turned, `[rank, out]`.
    b: Tensor,
}

impl Low {
    /// For [`rotary::turn`], which adds the answer of a small adapter on its way; that of a larger one is added to `y` here.
    pub(super) fn for_turn(&self, y: &Fresh, dtype: DType) -> Result<Option<LowRank<'_>>> {
        let Self { read: low, b } = self;
        let (rank, _) = b.dims2()?;
        if rank <= rotary::MOST_RANKS {
            return Ok(Some(LowRank { low, b }));
        }
        lora::up(y, dtype, low, b, None)?;
        Ok(None)
    }
}

impl Linear {
    pub(super) fn new(from: FrozenLinear, lora: Option<LoraOperand>) -> Self {
        let lora = lora.map(|lora| Lora {
            a: lora.a.clone(),
            b: lora.b.clone(),
            scale: lora.scale as f32,
            dropout: lora.dropout.filter(|dropout| dropout.p > 0.0),
        });
        Self { weight: from.weight.clone(), bias: from.bias.clone(), lora }
    }

    pub(super) fn bias(&self) -> &Tensor {
        &self.bias
    }

    pub(super) fn has_adapter(&self) -> bool {
        self.lora.is_some()
    }

    /// Of the result.
    pub(super) fn width(&self) -> Result<usize> {
        self.weight.dims2().map(|(outputs, _)| outputs)
    }

    /// `then(x Wᵀ + plus)`, `then` with the bias or without; the adapter's answer is not in it.
    pub(super) fn product(
        &self,
        x: &Tensor,
        then: Then,
        plus: Option<(f32, &Tensor)>,
    ) -> Result<Fresh> {
        let weight = self.weight.dense()?;
        Gemm { then, residual: plus, ..Gemm::new(x, &weight, Way::Forward) }.run()
    }

    /// What the adapter reads of `x`.
    pub(super) fn read_low(&self, x: &Tensor) -> Result<Option<Low>> {
        let Some(Lora { a, b, scale, dropout }) = &self.lora else {
            return Ok(None);
        };
        let read = lora::down(x, a, *scale, *dropout)?;
        Ok(Some(Low { read, b: lora::transpose(b)? }))
    }

    /// `x Wᵀ + bias + plus` and the adapter's answer.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        plus: Option<(f32, &Tensor)>,
    ) -> Result<(Fresh, Option<Low>)> {
        let y = self.product(x, Then::Bias(&self.bias), plus)?;
        let low = self.read_low(x)?;
        if let Some(Low { read, b }) = &low {
            lora::up(&y, x.dtype(), read, b, None)?;
        }
        Ok((y, low))
    }

    /// Puts aside what A and B learn from the gradient `dy` of the result of `x`; gives the gradient of what A gave, which
    /// [`Self::back`] wants.
    pub(super) fn learn_adapter(
        &self,
        low: Option<&Low>,
        x: impl FnOnce() -> Result<Tensor>,
        dy: &Tensor,
        gradients: Option<&WeightGradients>,
    ) -> Result<Option<Tensor>> {
        let (Some(lora), Some(low)) = (&self.lora, low) else {
            return Ok(None);
        };
        let (d_low, d_b) = lora::back(dy, &low.read, &low.b, lora.scale)?;
        if let Some(gradients) = gradients {
            gradients.put(&lora.b, d_b);
            gradients.put(&lora.a, lora::a_gradient(&x()?, &d_low, lora.dropout)?);
        }
        Ok(Some(d_low))
    }

    /// The gradient of the input: `dy W + plus`, and what came through A.
    pub(super) fn back(
        &self,
        dy: &Tensor,
        d_low: Option<&Tensor>,
        plus: Option<(f32, &Tensor)>,
    ) -> Result<Fresh> {
        let weight = self.weight.dense()?;
        let dx = Gemm { residual: plus, ..Gemm::new(dy, &weight, Way::Back) }.run()?;
        if let (Some(lora), Some(d_low)) = (&self.lora, d_low) {
            lora::up(&dx, dy.dtype(), d_low, &lora.a, lora.dropout)?;
        }
        Ok(dx)
    }

    /// Puts aside what weight and bias learn from the gradient `dy` of the result of `x`.
    pub(super) fn learn(&self, x: &Tensor, dy: &Tensor, gradients: &WeightGradients) -> Result<()> {
        let Weight::Dense(weight) = &self.weight else {
            bail!("a weight in few bits cannot learn");
        };
        learned::linear((weight, &self.bias), x, dy, gradients)
    }
}
