//! One `AdamW` update in place: two passes over the moments, one over the weight.

use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Result, Tensor, bail};

use super::OptimizerState;

/// What one update multiplies with. `torch.optim.AdamW`'s arithmetic, in f32.
#[derive(Clone, Copy, Debug)]
pub struct AdamWStep {
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    /// Gradients of a larger norm are scaled down to it; 0 for no limit.
    pub max_grad_norm: f64,
}

/// A weight with what moves it: four tensors of one shape, f32, contiguous.
#[derive(Clone, Copy, Debug)]
pub struct AdamWParameter<'a> {
    pub weight: &'a Tensor,
    pub grad: &'a Tensor,
    pub first_moment: &'a Tensor,
    pub second_moment: &'a Tensor,
    pub weight_decay: f64,
}

/// Updates all weights and their moments in place, and `state`. The gradients are divided by the loss scale and clipped by
/// the norm of all of them as one vector; where that is not finite, no weight and no moment changes. A GPU is not waited for.
pub fn adamw(
    parameters: &[AdamWParameter],
    state: &mut OptimizerState,
    step: AdamWStep,
) -> Result<()> {
    #[cfg(feature = "cuda")]
    if state.numbers().device().is_cuda() {
        return super::cuda::adamw(parameters, state.numbers(), step);
    }
    let (progress, factor) = state.progress()?.after(norm(parameters)?, step.max_grad_norm);
    *state = OptimizerState::new(progress, state.numbers().device())?;
    let Some(factor) = factor else {
        return Ok(());
    };
    for parameter in parameters {
        let AdamWParameter { weight, grad, first_moment, second_moment, weight_decay } = *parameter;
        let moment = |beta, squared| Moment::new(beta, factor, squared);
        first_moment.inplace_op2(grad, &moment(step.beta1, false))?;
        second_moment.inplace_op2(grad, &moment(step.beta2, true))?;
        let update = Update { step, number: progress.updates, weight_decay };
        weight.inplace_op3(first_moment, second_moment, &update)?;
    }
    Ok(())
}

/// Of all gradients taken as one vector.
fn norm(parameters: &[AdamWParameter]) -> Result<f64> {
    let mut sum = 0.0;
    for parameter in parameters {
        sum += f64::from(parameter.grad.sqr()?.sum_all()?.to_scalar::<f32>()?);
    }
    Ok(sum.sqrt())
}

/// `moment = beta * moment + (1 - beta) * (scale * grad)^power`.
struct Moment {
    beta: f32,
    /// `1 - beta`, rounded once.
    rest: f32,
    scale: f32,
    squared: bool,
}

impl Moment {
    fn new(beta: f64, scale: f64, squared: bool) -> Self {
        Self { beta: beta as f32, rest: (1.0 - beta) as f32, scale: scale as f32, squared }
    }
}

impl InplaceOp2 for Moment {
    fn name(&self) -> &'static str {
        "adamw-moment"
    }

    fn cpu_fwd(
        &self,
        moment: &mut CpuStorage,
        moment_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<()> {
        let moment = f32_slice_mut(moment, moment_layout)?;
        let grad = f32_slice(grad, grad_layout)?;
        let Self { beta, rest, scale, squared } = *self;
        if squared {
            for (moment, grad) in moment.iter_mut().zip(grad) {
                let grad = grad * scale;
                *moment = beta * *moment + rest * grad * grad;
            }
        } else {
            for (moment, grad) in moment.iter_mut().zip(grad) {
                *moment = beta * *moment + rest * (grad * scale);
            }
        }
        Ok(())
    }
}

struct Update {
    step: AdamWStep,
    /// Counted from 1: corrects the moments' bias.
    number: u32,
    weight_decay: f64,
}

impl InplaceOp3 for Update {
    fn name(&self) -> &'static str {
        "adamw-update"
    }

    fn cpu_fwd(
        &self,
        weight: &mut CpuStorage,
        weight_layout: &Layout,
        first_moment: &CpuStorage,
        first_layout: &Layout,
        second_moment: &CpuStorage,
        second_layout: &Layout,
    ) -> Result<()> {
        let Self { step, number, weight_decay } = *self;
        let number = f64::from(number);
        let decay = (1.0 - step.learning_rate * weight_decay) as f32;
        let step_size = (step.learning_rate / (1.0 - step.beta1.powf(number))) as f32;
        let root_correction = (1.0 / (1.0 - step.beta2.powf(number)).sqrt()) as f32;
        let eps = step.eps as f32;

        let first_moment = f32_slice(first_moment, first_layout)?;
        let second_moment = f32_slice(second_moment, second_layout)?;
        let moments = first_moment.iter().zip(second_moment);
        for (weight, (first, second)) in
            f32_slice_mut(weight, weight_layout)?.iter_mut().zip(moments)
        {
            let spread = second.sqrt() * root_correction + eps;
            *weight = *weight * decay - step_size * (first / spread);
        }
        Ok(())
    }
}

fn f32_slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("adamw: wanted contiguous f32, found {layout:?}"),
    }
}

fn f32_slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("adamw: wanted contiguous f32, found {layout:?}"),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device::Cpu};

    use super::*;
    use crate::ops::{LossScale, Progress};

    /// ```python
    /// p = torch.tensor([1.0, -2.0]); p.grad = torch.tensor([0.5, -0.25])
    /// o = torch.optim.AdamW([p], lr=0.1, weight_decay=0.01); o.step(); o.step(); print(p)
    /// ```
    #[test]
    fn two_updates_equal_pytorchs() {
        let weight = Tensor::new(&[1f32, -2.0], &Cpu).unwrap();
        let grad = Tensor::new(&[0.5f32, -0.25], &Cpu).unwrap();
        let (first, second) = (grad.zeros_like().unwrap(), grad.zeros_like().unwrap());
        let mut state = state(DType::F32);

        for _ in 0..2 {
            adamw(&[parameter(&weight, &grad, &first, &second)], &mut state, step()).unwrap();
        }

        assert_close(&weight.to_vec1().unwrap(), &[0.798_101, -1.796_102]);
        assert_eq!(state.progress().unwrap().updates, 2);
    }

    #[test]
    fn gradients_above_the_limit_are_scaled_down_to_it() {
        let weight = Tensor::new(&[1f32], &Cpu).unwrap();
        let grad = Tensor::new(&[4f32], &Cpu).unwrap();
        let (first, second) = (grad.zeros_like().unwrap(), grad.zeros_like().unwrap());
        let mut state = state(DType::F32);

        let step = AdamWStep { max_grad_norm: 2.0, ..step() };
        adamw(&[parameter(&weight, &grad, &first, &second)], &mut state, step).unwrap();

        assert_eq!(state.progress().unwrap().grad_norm, 4.0);
        assert_close(&first.to_vec1().unwrap(), &[0.2]);
        assert_close(&second.to_vec1().unwrap(), &[0.004]);
    }

    #[test]
    fn gradients_that_ran_over_move_nothing() {
        let weight = Tensor::new(&[1f32, 2.0], &Cpu).unwrap();
        let grad = Tensor::new(&[f32::INFINITY, 1.0], &Cpu).unwrap();
        let (first, second) = (grad.zeros_like().unwrap(), grad.zeros_like().unwrap());
        let mut state = state(DType::F16);

        adamw(&[parameter(&weight, &grad, &first, &second)], &mut state, step()).unwrap();

        assert_eq!(weight.to_vec1::<f32>().unwrap(), [1.0, 2.0]);
        assert_eq!(first.to_vec1::<f32>().unwrap(), [0.0, 0.0]);
        let Progress { updates, loss_scale, grad_norm } = state.progress().unwrap();
        assert_eq!((updates, loss_scale.factor()), (0, 32_768.0));
        assert!(grad_norm.is_infinite());
    }

    fn parameter<'a>(
        weight: &'a Tensor,
        grad: &'a Tensor,
        first_moment: &'a Tensor,
        second_moment: &'a Tensor,
    ) -> AdamWParameter<'a> {
        AdamWParameter { weight, grad, first_moment, second_moment, weight_decay: 0.01 }
    }

    fn state(weights: DType) -> OptimizerState {
        OptimizerState::new(Progress::new(LossScale::for_weights(weights)), &Cpu).unwrap()
    }

    fn step() -> AdamWStep {
        AdamWStep { learning_rate: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8, max_grad_norm: 0.0 }
    }

    fn assert_close(found: &[f32], wanted: &[f32]) {
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-6, "wanted {wanted}, found {found}");
        }
    }
}
