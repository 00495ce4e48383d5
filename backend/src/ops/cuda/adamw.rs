//! The optimizer over all parameters at once, see `kernels/adamw.cu`.

use candle_core::{DType, Result, Tensor, bail};

use super::launch::{Arg, Fresh, Module, OnDevice as _, Table, Threads, device_of, launch};
use crate::ops::adamw::{AdamWParameter, AdamWStep};

/// Blocks that share the work on one parameter.
const BLOCKS: usize = 32;
/// Words of a `Parameter` of the kernels: four addresses, the size, and two floats.
const WORDS: usize = 6;
/// Floats of an `Update` of the kernels.
const UPDATE: usize = 4;

/// See [`crate::ops::adamw()`]; `state` is `OptimizerState::numbers`.
pub(crate) fn adamw(parameters: &[AdamWParameter], state: &Tensor, step: AdamWStep) -> Result<()> {
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
    let squares = Fresh::new(parameters.len() * BLOCKS, DType::F32, device)?;
    let update = Fresh::new(UPDATE, DType::F32, device)?;
    let all = Threads::new((BLOCKS, parameters.len(), 1), 256);
    let run =
        |name, threads, args: &[Arg]| launch(device, Module::AdamW, (name, ""), threads, args);
    run("adamw_squares", all, &[table.arg(), Arg::of(&squares)?])?;
    run(
        "adamw_begin",
        Threads::new((1, 1, 1), 256),
        &[
            Arg::of(&squares)?,
            Arg::size(parameters.len() * BLOCKS),
            Arg::of(state)?,
            Arg::of(&update)?,
            Arg::F64(step.max_grad_norm),
            Arg::F64(step.learning_rate),
            Arg::F64(step.beta1),
            Arg::F64(step.beta2),
        ],
    )?;
    run(
        "adamw_update",
        all,
        &[
            table.arg(),
            Arg::of(&update)?,
            Arg::F32(step.beta1 as f32),
            Arg::F32((1.0 - step.beta1) as f32),
            Arg::F32(step.beta2 as f32),
            Arg::F32((1.0 - step.beta2) as f32),
            Arg::F32(step.eps as f32),
        ],
    )
}
