//! Cross-entropy over label rows, in chunks: the logits of all rows never exist at once.

use candle_core::{DType, Result, Tensor};

use super::gemm::{Gemm, Way};
use super::launch::{Arg, Fresh, Module, OnDevice as _, Threads, device_of, launch, suffix};
use super::node::{Backward, Gradients, record};
use crate::ops::gpu_loss_rows;
use crate::ops::learned::WeightGradients;

/// See [`crate::ops::cross_entropy()`]; the head is frozen. The gradient is found on the way, as on the CPU.
pub(crate) fn cross_entropy(hidden: &Tensor, head: &Tensor, targets: &[u32]) -> Result<Tensor> {
    loss(hidden, head, targets, None)
}

/// The same with a head that learns.
pub(super) fn learned(
    hidden: &Tensor,
    head: &Tensor,
    targets: &[u32],
    gradients: &WeightGradients,
) -> Result<Tensor> {
    loss(hidden, head, targets, Some(gradients))
}

fn loss(
    hidden: &Tensor,
    head: &Tensor,
    targets: &[u32],
    learned: Option<&WeightGradients>,
) -> Result<Tensor> {
    let (rows, model) = hidden.dims2()?;
    let (vocab, _) = head.dims2()?;
    let device = device_of(hidden)?;
    let targets = Tensor::new(targets, hidden.device())?;
    let losses = Fresh::new(rows, DType::F32, device)?;
    let tracked = hidden.track_op();
    let mut gradients = Vec::new();
    let mut d_head: Option<Tensor> = None;
    // Chunks of one size: a remainder of a few rows would cost a whole pass over the head.
    let chunk = rows.div_ceil(rows.div_ceil(gpu_loss_rows(vocab)));
    for first in (0..rows).step_by(chunk) {
        let count = chunk.min(rows - first);
        let hidden = hidden.detach().narrow(0, first, count)?; // [count, model]
        let product = Gemm { dtype: DType::F32, ..Gemm::new(&hidden, head, Way::Forward) };
        let logits = product.run()?; // [count, vocab]
        let d_logits = Fresh::new((count, vocab), hidden.dtype(), device)?;
        launch(
            device,
            Module::Loss,
            ("cross_entropy", suffix(hidden.dtype())?),
            Threads::new((count, 1, 1), 1024),
            &[
                Arg::of(&logits)?,
                Arg::of(&targets.narrow(0, first, count)?)?,
                Arg::Address(losses.address()? + (first * size_of::<f32>()) as u64),
                Arg::of(&d_logits)?,
                Arg::size(vocab),
            ],
        )?;
        if tracked {
            let d_logits = d_logits.tensor();
            if learned.is_some() {
                let product = Gemm::new(&d_logits, &hidden, Way::Gradient);
                let residual = d_head.as_ref().map(|sum| (1.0, sum));
                let product = Gemm { dtype: DType::F32, residual, ..product };
                d_head = Some(product.run()?.tensor()); // [vocab, model]
            }
            gradients.push(Gemm::new(&d_logits, head, Way::Back).run()?.tensor()); // [count, model]
        }
    }
    let loss = Fresh::new((), DType::F32, device)?;
    launch(
        device,
        Module::Loss,
        ("loss_mean", ""),
        Threads::new((1, 1, 1), 256),
        &[Arg::of(&losses)?, Arg::of(&loss)?, Arg::size(rows)],
    )?;
    if !tracked {
        return Ok(loss.tensor());
    }
    let gradient = match <[Tensor; 1]>::try_from(gradients) {
        Ok([only]) => only,
        Err(several) => Tensor::cat(&several, 0)?,
    };
    debug_assert_eq!(gradient.dims(), [rows, model]);
    let head = learned.zip(d_head).map(|(gradients, gradient)| Head {
        weight: head.clone(),
        gradient,
        gradients: gradients.clone(),
    });
    record(loss, [hidden, &targets, &targets], CrossEntropy { gradient, head })
}

struct CrossEntropy {
    /// Of the sum of the rows' losses, `[rows, model]`. Not of the mean: small numbers would be lost in f16.
    gradient: Tensor,
    /// If it learns.
    head: Option<Head>,
}

struct Head {
    weight: Tensor,
    /// Of the sum of the rows' losses, `[vocab, model]`, f32.
    gradient: Tensor,
    gradients: WeightGradients,
}

impl Head {
    /// Puts the gradient of the mean of `rows` losses aside.
    fn backward(&self, d_loss: &Tensor, rows: usize) -> Result<()> {
        self.gradients.put(&self.weight, of_mean(&self.gradient, d_loss, rows)?);
        Ok(())
    }
}

impl Backward for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn backward(&self, d_loss: &Tensor) -> Result<Gradients> {
        let (rows, _) = self.gradient.dims2()?;
        if let Some(head) = &self.head {
            head.backward(d_loss, rows)?;
        }
        Ok((Some(of_mean(&self.gradient, d_loss, rows)?), None, None))
    }
}

/// `gradient`, which is of the sum of `rows` losses, as that of their mean, whose own is `d_loss`.
fn of_mean(gradient: &Tensor, d_loss: &Tensor, rows: usize) -> Result<Tensor> {
    let size = gradient.elem_count();
    let device = device_of(gradient)?;
    let scaled = Fresh::new(gradient.shape(), gradient.dtype(), device)?;
    launch(
        device,
        Module::Loss,
        ("loss_scale", suffix(gradient.dtype())?),
        Threads::new((size.div_ceil(256).min(2048), 1, 1), 256),
        &[
            Arg::of(gradient)?,
            Arg::of(d_loss)?,
            Arg::of(&scaled)?,
            Arg::size(rows),
            Arg::U64(size as u64),
        ],
    )?;
    Ok(scaled.tensor())
}
