//! Keeps gradients in the range of f16 (Micikevicius et al. 2017, "Mixed Precision Training"): the loss is multiplied
//! before the backward, gradients are divided after it. The rule is that of `torch.amp.GradScaler`.

use candle_core::{DType, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Where a run starts.
const FIRST: f64 = 65_536.0;
/// What is tried after so many steps without overflow.
const GROWTH: f64 = 2.0;
const GROWTH_STEPS: u32 = 2000;
/// What an overflow leaves of it.
const BACKOFF: f64 = 0.5;

/// What the loss is multiplied with; 1 for weights that are not f16.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossScale {
    scale: f64,
    /// Steps since it last changed.
    steps: u32,
    fixed: bool,
}

impl LossScale {
    pub fn for_weights(dtype: DType) -> Self {
        let fixed = dtype != DType::F16;
        Self { scale: if fixed { 1.0 } else { FIRST }, steps: 0, fixed }
    }

    /// The loss to go backward from.
    pub fn scaled(&self, loss: &Tensor) -> Result<Tensor> {
        if self.fixed { Ok(loss.clone()) } else { loss * self.scale }
    }

    /// What gradients are divided by.
    pub fn factor(&self) -> f64 {
        self.scale
    }

    /// Tells of a step whose gradients have the norm `norm`, as they came. False if the step must be left out, because
    /// they ran over; the next one goes on with less.
    pub fn accepts(&mut self, norm: f64) -> bool {
        if self.fixed {
            return true;
        }
        if !norm.is_finite() {
            self.scale *= BACKOFF;
            self.steps = 0;
            return false;
        }
        self.steps += 1;
        if self.steps >= GROWTH_STEPS {
            self.scale *= GROWTH;
            self.steps = 0;
        }
        true
    }

    /// Whether there is nothing left to take away: the numbers themselves are at fault.
    pub fn exhausted(&self) -> bool {
        !self.fixed && self.scale < 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overflow_halves_it_and_leaves_the_step_out() {
        let mut scale = LossScale::for_weights(DType::F16);

        assert!(!scale.accepts(f64::INFINITY));
        assert_eq!(scale.factor(), 32_768.0);
        assert!(scale.accepts(3.0));
        assert_eq!(scale.factor(), 32_768.0);
    }

    #[test]
    fn two_thousand_good_steps_double_it() {
        let mut scale = LossScale::for_weights(DType::F16);
        for _ in 0..1999 {
            assert!(scale.accepts(1.0));
        }
        assert_eq!(scale.factor(), 65_536.0);

        assert!(scale.accepts(1.0));

        assert_eq!(scale.factor(), 131_072.0);
    }

    #[test]
    fn other_weights_have_none() {
        let mut scale = LossScale::for_weights(DType::BF16);

        assert!(scale.accepts(f64::NAN));
        assert_eq!(scale.factor(), 1.0);
        assert!(!scale.exhausted());
    }
}
