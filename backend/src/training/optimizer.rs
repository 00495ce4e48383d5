//! `AdamW` (Loshchilov & Hutter 2017) with moments that can be saved, gradient clipping and loss scaling.

use candle_core::{Result, Tensor, Var};

use super::Trainee;
use crate::ops::{AdamWParameter, AdamWStep, LossScale, OptimizerState, Progress, adamw};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;

/// The moments of every parameter, and how many updates made them. All of it is where the parameters are, and no update
/// waits for a GPU.
#[derive(Clone, Debug)]
pub struct AdamW {
    weight_decay: f64,
    /// First and second moment of each parameter, of its shape, f32.
    pub moments: Vec<(Tensor, Tensor)>,
    state: OptimizerState,
}

impl AdamW {
    /// An optimizer that has seen nothing.
    pub fn new(trainee: &Trainee, weight_decay: f64) -> Result<Self> {
        let zeros = |weight: &Var| Ok((weight.zeros_like()?, weight.zeros_like()?));
        let moments =
            trainee.parameters.iter().map(|(_, weight)| zeros(weight)).collect::<Result<_>>()?;
        let progress = Progress::new(LossScale::for_weights(trainee.model.dtype()));
        let state = OptimizerState::new(progress, trainee.model.device())?;
        Ok(Self { weight_decay, moments, state })
    }

    /// What it has come to.
    pub fn state(&self) -> &OptimizerState {
        &self.state
    }

    /// Goes on from where an optimizer with these moments was.
    pub fn resume(&mut self, progress: Progress) -> Result<()> {
        self.state = OptimizerState::new(progress, self.state.numbers().device())?;
        Ok(())
    }

    /// Moves each parameter against its gradient, of what [`OptimizerState::scaled`] made of the loss; the gradients are
    /// scaled down to the norm `max_grad_norm` if they have a larger one. See [`adamw()`].
    pub fn update(
        &mut self,
        parameters: &[(String, Var)],
        gradients: &[Tensor],
        learning_rate: f64,
        max_grad_norm: f64,
    ) -> Result<()> {
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
        let (beta1, beta2, eps) = (BETA1, BETA2, EPS);
        let step = AdamWStep { learning_rate, beta1, beta2, eps, max_grad_norm };
        adamw(&all, &mut self.state, step)
    }
}
