//! The optimizer over all parameters at once, see `kernels/adamw.cu`.

use candle_core::cuda_backend::CudaDevice;
use candle_core::{DType, Device, Result, Tensor, bail};

use super::launch::{Arg, Fresh, Module, OnDevice as _, Table, Threads, device_of, launch};
use crate::ops::adamw::{AdamWParameter, AdamWStep};

/// Blocks that share the work on one parameter.
const BLOCKS: usize = 32;
/// Words of a `Parameter` of the kernels: four addresses, the size, and two floats.
const WORDS: usize = 6;

/// See [`crate::ops::adamw()`].
pub(crate) fn adamw(parameters: &[AdamWParameter], step: AdamWStep) -> Result<()> {
    let Some(first) = parameters.first() else {
        return Ok(());
    };
    let device = device_of(first.weight)?;
    let mut table = Vec::with_capacity(parameters.len() * WORDS);
    for parameter in parameters {
        let AdamWParameter { weight, grad, first_moment, second_moment, weight_decay } = *parameter;
        let all = [weight, grad, first_moment, second_moment];
        if all.iter().any(|tensor| tensor.dtype() != DType::F32 || tensor.dims() != weight.dims()) {
            bail!(
                "adamw wants f32 of one shape, got {:?}",
                all.map(|tensor| (tensor.dtype(), tensor.shape()))
            );
        }
        for tensor in all {
            table.push(tensor.address()?);
        }
        let decay = (1.0 - step.learning_rate * weight_decay) as f32;
        table.extend([weight.elem_count() as u64, u64::from(decay.to_bits())]);
    }
    let table = Table::new(&table, device)?;
    let number = f64::from(step.number);
    launch(
        device,
        Module::AdamW,
        ("adamw_update", ""),
        Threads::new((BLOCKS, parameters.len(), 1), 256),
        &[
            table.arg(),
            Arg::F32(step.grad_scale as f32),
            Arg::F32(step.beta1 as f32),
            Arg::F32((1.0 - step.beta1) as f32),
            Arg::F32(step.beta2 as f32),
            Arg::F32((1.0 - step.beta2) as f32),
            Arg::F32((step.learning_rate / (1.0 - step.beta1.powf(number))) as f32),
            Arg::F32((1.0 / (1.0 - step.beta2.powf(number)).sqrt()) as f32),
            Arg::F32(step.eps as f32),
        ],
    )
}

/// See [`crate::ops::gradient_norm`]: a scalar on the device.
pub(crate) fn gradient_norm(gradients: &[Tensor]) -> Result<Tensor> {
    let Some(first) = gradients.first() else {
        return Tensor::zeros((), DType::F32, &Device::Cpu);
    };
    let device: &CudaDevice = device_of(first)?;
    let mut table = Vec::with_capacity(gradients.len() * WORDS);
    for gradient in gradients {
        if gradient.dtype() != DType::F32 {
            bail!("a gradient of {:?}, wanted f32", gradient.dtype());
        }
        table.extend([0, gradient.address()?, 0, 0, gradient.elem_count() as u64, 0]);
    }
    let table = Table::new(&table, device)?;
    let squares = Fresh::new(gradients.len() * BLOCKS, DType::F32, device)?;
    let norm = Fresh::new((), DType::F32, device)?;
    launch(
        device,
        Module::AdamW,
        ("adamw_squares", ""),
        Threads::new((BLOCKS, gradients.len(), 1), 256),
        &[table.arg(), Arg::of(&squares)?],
    )?;
    launch(
        device,
        Module::AdamW,
        ("adamw_norm", ""),
        Threads::new((1, 1, 1), 256),
        &[Arg::of(&squares)?, Arg::of(&norm)?, Arg::size(gradients.len() * BLOCKS)],
    )?;
    Ok(norm.tensor())
}
