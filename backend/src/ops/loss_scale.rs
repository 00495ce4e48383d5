//! Keeps gradients in the range of f16 (Micikevicius et al. 2017, "Mixed Precision Training"): the loss is multiplied
//! before the backward, gradients are divided after it. The rule is that of `torch.amp.GradScaler`.

use candle_core::DType;
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

    /// What gradients are divided by.
    pub fn factor(&self) -> f64 {
        self.scale
    }

    /// Whether it stays as it is.
    pub fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// What it is after a step whose gradients were `finite`, or ran over.
    pub(super) fn after(self, finite: bool) -> Self {
        let Self { scale, steps, fixed } = self;
        if fixed {
            return self;
        }
        match (finite, steps + 1) {
            (false, _) => Self { scale: scale * BACKOFF, steps: 0, fixed },
            (true, GROWTH_STEPS..) => Self { scale: scale * GROWTH, steps: 0, fixed },
            (true, steps) => Self { scale, steps, fixed },
        }
    }

    /// Whether a step that ran over cannot be mended by a smaller one: the numbers themselves are at fault.
    pub fn exhausted(&self) -> bool {
        self.fixed || self.scale < 1.0
    }

    /// As numbers that a device keeps; [`Self::from_numbers`] makes it of them again.
    pub(super) fn numbers(&self) -> [f64; 3] {
        [self.scale, f64::from(self.steps), f64::from(u8::from(self.fixed))]
    }

    pub(super) fn from_numbers([scale, steps, fixed]: [f64; 3]) -> Self {
        #[expect(clippy::cast_sign_loss, reason = "a count")]
        Self { scale, steps: steps as u32, fixed: fixed != 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overflow_halves_it() {
        let scale = LossScale::for_weights(DType::F16).after(false);

        assert_eq!(scale.factor(), 32_768.0);
        assert_eq!(scale.after(true).factor(), 32_768.0);
    }

    #[test]
    fn two_thousand_good_steps_double_it() {
        let mut scale = LossScale::for_weights(DType::F16);
        for _ in 0..1999 {
            scale = scale.after(true);
            assert_eq!(scale.factor(), 65_536.0);
        }

        assert_eq!(scale.after(true).factor(), 131_072.0);
    }

    #[test]
    fn it_is_exhausted_below_one() {
        let mut scale = LossScale::for_weights(DType::F16);
        for _ in 0..16 {
            assert!(!scale.exhausted());
            scale = scale.after(false);
        }

        assert!(!scale.exhausted());
        assert!(scale.after(false).exhausted());
    }

    #[test]
    fn other_weights_have_none() {
        let scale = LossScale::for_weights(DType::BF16);

        assert_eq!(scale.after(false), scale);
        assert_eq!(scale.factor(), 1.0);
        assert!(scale.exhausted());
    }
}
