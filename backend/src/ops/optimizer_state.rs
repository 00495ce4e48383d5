//! What an optimizer has come to, kept where the weights are: an update that is clipped, or left out, depends on its
//! gradients' norm, and whoever takes steps need not wait until a GPU knows it.

use candle_core::{DType, Device, Result, Tensor, bail};

use super::LossScale;

/// Where an optimizer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Updates so far.
    pub updates: u32,
    /// What the next loss is multiplied with.
    pub loss_scale: LossScale,
    /// Norm of the newest gradients, before clipping. Where it is not finite, their update was left out.
    pub grad_norm: f64,
}

impl Progress {
    /// Of an optimizer that has seen nothing.
    pub fn new(loss_scale: LossScale) -> Self {
        Self { updates: 0, loss_scale, grad_norm: 0.0 }
    }

    /// What it is after gradients of the norm `norm`, which came multiplied with the loss scale, and what these are to be
    /// multiplied with; `None` if they are to be left out. `adamw_begin` of `kernels/adamw.cu` has the same rule.
    pub(super) fn after(self, norm: f64, max_grad_norm: f64) -> (Self, Option<f64>) {
        let finite = norm.is_finite();
        let scale = self.loss_scale.factor();
        let after = Self {
            updates: self.updates + u32::from(finite),
            loss_scale: self.loss_scale.after(finite),
            grad_norm: norm / scale,
        };
        let factor = clip_coefficient(after.grad_norm, max_grad_norm) / scale;
        (after, finite.then_some(factor))
    }

    /// `[loss scale, steps since it changed, whether it is fixed, updates, norm]`.
    fn numbers(&self) -> [f64; 5] {
        let [scale, steps, fixed] = self.loss_scale.numbers();
        [scale, steps, fixed, f64::from(self.updates), self.grad_norm]
    }

    /// Of what [`OptimizerState::numbers`] holds.
    pub fn from_numbers(numbers: &[f64]) -> Result<Self> {
        let &[scale, steps, fixed, updates, grad_norm] = numbers else {
            bail!("an optimizer's state of {} numbers", numbers.len());
        };
        let loss_scale = LossScale::from_numbers([scale, steps, fixed]);
        #[expect(clippy::cast_sign_loss, reason = "a count")]
        Ok(Self { updates: updates as u32, loss_scale, grad_norm })
    }
}

/// A [`Progress`] on a device, where [`super::adamw()`] keeps it.
#[derive(Clone, Debug)]
pub struct OptimizerState {
    numbers: Tensor,
    scales: bool,
}

impl OptimizerState {
    pub fn new(progress: Progress, device: &Device) -> Result<Self> {
        let numbers = Tensor::new(&progress.numbers(), device)?;
        Ok(Self { numbers, scales: !progress.loss_scale.is_fixed() })
    }

    /// `[5]`, f64: see [`Progress::from_numbers`].
    pub fn numbers(&self) -> &Tensor {
        &self.numbers
    }

    /// Waits for the device.
    pub fn progress(&self) -> Result<Progress> {
        Progress::from_numbers(&self.numbers.to_vec1::<f64>()?)
    }

    /// The loss to go backward from: `loss`, f32, times the loss scale.
    pub fn scaled(&self, loss: &Tensor) -> Result<Tensor> {
        if !self.scales {
            return Ok(loss.clone());
        }
        loss.mul(&self.numbers.get(0)?.to_dtype(DType::F32)?)
    }
}

/// What `torch.nn.utils.clip_grad_norm_` multiplies gradients of norm `norm` with; 1 without a limit.
fn clip_coefficient(norm: f64, max_norm: f64) -> f64 {
    if max_norm > 0.0 { (max_norm / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_norm_above_the_limit_is_scaled_down() {
        assert_eq!(clip_coefficient(0.5, 1.0), 1.0);
        assert!((clip_coefficient(4.0, 1.0) - 0.25).abs() < 1e-6);
        assert_eq!(clip_coefficient(4.0, 0.0), 1.0);
    }

    #[test]
    fn gradients_are_divided_by_what_the_loss_was_multiplied_with() {
        let fresh = Progress::new(LossScale::for_weights(DType::F16));

        let (after, factor) = fresh.after(65_536.0 * 0.5, 1.0);

        assert_eq!((after.updates, after.grad_norm), (1, 0.5));
        assert_eq!(factor, Some(1.0 / 65_536.0));
    }

    #[test]
    fn gradients_that_ran_over_are_left_out() {
        let fresh = Progress::new(LossScale::for_weights(DType::F16));

        let (after, factor) = fresh.after(f64::INFINITY, 1.0);

        assert_eq!((after.updates, after.loss_scale.factor(), factor), (0, 32_768.0, None));
    }

    #[test]
    fn a_device_keeps_it_as_it_is() {
        let mut progress = Progress::new(LossScale::for_weights(DType::F16));
        for norm in [3.0, f64::NAN, 70_000.0] {
            (progress, _) = progress.after(norm, 1.0);
        }

        let kept = OptimizerState::new(progress, &Device::Cpu).unwrap();

        assert_eq!(kept.progress().unwrap(), progress);
        let loss = Tensor::new(2f32, &Device::Cpu).unwrap();
        assert_eq!(kept.scaled(&loss).unwrap().to_scalar::<f32>().unwrap(), 65_536.0);
    }
}
