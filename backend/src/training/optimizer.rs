//! `AdamW` (Loshchilov & Hutter 2017) with moments that can be saved, and gradient clipping.

use candle_core::{DType, Result, Tensor, Var};

use super::LossScale;
use crate::ops::{AdamWParameter, AdamWStep, adamw};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;

/// The moments of every parameter, and how many updates made them.
#[derive(Clone, Debug)]
pub struct AdamW {
    weight_decay: f64,
    /// Updates so far.
    pub updates: u32,
    /// First and second moment of each parameter, of its shape, f32.
    pub moments: Vec<(Tensor, Tensor)>,
    /// What gradients arrive multiplied with.
    pub loss_scale: LossScale,
}

impl AdamW {
    /// An optimizer that has seen nothing.
    pub fn new(parameters: &[(String, Var)], weight_decay: f64) -> Result<Self> {
        let moments = parameters
            .iter()
            .map(|(_, weight)| Ok((weight.zeros_like()?, weight.zeros_like()?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            weight_decay,
            updates: 0,
            moments,
            loss_scale: LossScale::for_weights(DType::F32),
        })
    }

    /// Moves each parameter against its gradient, which is multiplied with `grad_scale` first.
    pub fn update(
        &mut self,
        parameters: &[(String, Var)],
        gradients: &[Tensor],
        learning_rate: f64,
        grad_scale: f64,
    ) -> Result<()> {
        self.updates += 1;
        let all: Vec<AdamWParameter> = parameters
            .iter()
            .zip(gradients)
            .zip(&self.moments)
            .map(|(((_, weight), grad), (first_moment, second_moment))| AdamWParameter {
                weight,
                grad,
                first_moment,
                second_moment,
                // Biases and layer norms do not decay, as in `transformers.Trainer`.
                weight_decay: if weight.rank() > 1 { self.weight_decay } else { 0.0 },
            })
            .collect();
        let step = AdamWStep {
            learning_rate,
            beta1: BETA1,
            beta2: BETA2,
            eps: EPS,
            number: self.updates,
            grad_scale,
        };
        adamw(&all, step)
    }
}

/// What `torch.nn.utils.clip_grad_norm_` multiplies gradients of norm `norm` with; 1 without a limit.
pub fn clip_coefficient(norm: f64, max_norm: f64) -> f64 {
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
}
