//! One `AdamW` update in place: two passes over the moments, one over the weight.

use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Result, Tensor, bail};

/// What one update multiplies with. `torch.optim.AdamW`'s arithmetic, in f32.
#[derive(Clone, Copy, Debug)]
pub struct AdamWStep {
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    /// Number of this update, counted from 1: corrects the moments' bias.
    pub number: u32,
    /// Multiplies the gradient first: the clipping coefficient.
    pub grad_scale: f64,
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

/// Updates all weights and their moments in place.
pub fn adamw(parameters: &[AdamWParameter], step: AdamWStep) -> Result<()> {
    #[cfg(feature = "cuda")]
    if parameters.iter().any(|parameter| parameter.weight.device().is_cuda()) {
        return super::cuda::adamw(parameters, step);
    }
    for parameter in parameters {
        let AdamWParameter { weight, grad, first_moment, second_moment, weight_decay } = *parameter;
        first_moment.inplace_op2(grad, &Moment::first(step))?;
        second_moment.inplace_op2(grad, &Moment::second(step))?;
        weight.inplace_op3(first_moment, second_moment, &Update { step, weight_decay })?;
    }
    Ok(())
}

/// Norm of all gradients taken as one vector.
pub fn gradient_norm(gradients: &[Tensor]) -> Result<f64> {
    #[cfg(feature = "cuda")]
    if gradients.iter().any(|gradient| gradient.device().is_cuda()) {
        return super::cuda::gradient_norm(gradients)?.to_scalar::<f32>().map(f64::from);
    }
    let mut sum = 0.0;
    for gradient in gradients {
        sum += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
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
    fn first(step: AdamWStep) -> Self {
        let rest = (1.0 - step.beta1) as f32;
        Self { beta: step.beta1 as f32, rest, scale: step.grad_scale as f32, squared: false }
    }

    fn second(step: AdamWStep) -> Self {
        let rest = (1.0 - step.beta2) as f32;
        Self { beta: step.beta2 as f32, rest, scale: step.grad_scale as f32, squared: true }
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
        let Self { step, weight_decay } = *self;
        let number = f64::from(step.number);
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
    use candle_core::Device::Cpu;

    use super::*;

    /// ```python
    /// p = torch.tensor([1.0, -2.0]); p.grad = torch.tensor([0.5, -0.25])
    /// o = torch.optim.AdamW([p], lr=0.1, weight_decay=0.01); o.step(); o.step(); print(p)
    /// ```
    #[test]
    fn two_updates_equal_pytorchs() {
        let weight = Tensor::new(&[1f32, -2.0], &Cpu).unwrap();
        let grad = Tensor::new(&[0.5f32, -0.25], &Cpu).unwrap();
        let (first, second) = (grad.zeros_like().unwrap(), grad.zeros_like().unwrap());

        for number in 1..=2 {
            let step = AdamWStep { number, ..step() };
            adamw(&[parameter(&weight, &grad, &first, &second)], step).unwrap();
        }

        assert_close(&weight.to_vec1().unwrap(), &[0.798_101, -1.796_102]);
    }

    #[test]
    fn the_gradients_scale_does_not_change_the_direction() {
        let weight = Tensor::new(&[1f32], &Cpu).unwrap();
        let grad = Tensor::new(&[4f32], &Cpu).unwrap();
        let (first, second) = (grad.zeros_like().unwrap(), grad.zeros_like().unwrap());

        let step = AdamWStep { grad_scale: 0.5, ..step() };
        adamw(&[parameter(&weight, &grad, &first, &second)], step).unwrap();

        assert_close(&first.to_vec1().unwrap(), &[0.2]);
        assert_close(&second.to_vec1().unwrap(), &[0.004]);
    }

    fn parameter<'a>(
        weight: &'a Tensor,
        grad: &'a Tensor,
        first_moment: &'a Tensor,
        second_moment: &'a Tensor,
    ) -> AdamWParameter<'a> {
        AdamWParameter { weight, grad, first_moment, second_moment, weight_decay: 0.01 }
    }

    fn step() -> AdamWStep {
        AdamWStep {
            learning_rate: 0.1,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            number: 1,
            grad_scale: 1.0,
        }
    }

    fn assert_close(found: &[f32], wanted: &[f32]) {
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-6, "wanted {wanted}, found {found}");
        }
    }
}
