//! The loss over label positions, without the logits of all of them at once.
//!
//! The vocabulary goes by in chunks, as keys do in attention: each row keeps the largest logit so
//! far, the sum of exponentials and the sum of head rows weighted by them, which is most of the
//! gradient. The head is read once, logits never leave the cache, and the backward only multiplies.

mod rows;

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use rows::{Part, Rows};

use super::gemm::{Matrix, MatrixMut, PANEL};
use super::tensors::{all_plain, output, room, slice, tensor};
use super::{composed, parallel};

/// Rows whose scores over a vocabulary exist at once on a GPU: enough to keep the matrix product busy, 460 MB of a
/// vocabulary of 150,528.
pub fn gpu_loss_rows(vocab: usize) -> usize {
    (512 * 150_528 / vocab.max(1)).max(512)
}

/// Most rows that one task takes through a part of the vocabulary: the more, the less often the
/// head is read; the fewer, the better their gradients fit the cache.
const ROWS: usize = 4 * PANEL;

/// The mean over rows of `logsumexp(logits) - logits[target]`, where `logits = hidden · headᵀ`.
///
/// `hidden` is `[rows, model]`: the positions that have a target, no others. `head_weight` is
/// `[vocab, model]`; its gradient is computed only when it is tracked.
pub fn cross_entropy(hidden: &Tensor, head_weight: &Tensor, targets: &[u32]) -> Result<Tensor> {
    let (rows, model) = hidden.dims2()?;
    let (vocab, width) = head_weight.dims2()?;
    if targets.len() != rows || rows == 0 || model != width {
        bail!("cross-entropy: {} targets, {rows} rows of {model}, head of {width}", targets.len());
    }
    if let Some(target) = targets.iter().find(|&&target| target as usize >= vocab) {
        bail!("cross-entropy: no token {target} among {vocab}");
    }
    #[cfg(feature = "cuda")]
    if super::cuda::all_half(&[hidden, head_weight]) && !head_weight.track_op() {
        return super::cuda::cross_entropy(hidden, head_weight, targets);
    }
    if !all_plain(&[hidden, head_weight]) {
        return composed::cross_entropy(hidden, head_weight, targets);
    }
    let op = CrossEntropy {
        targets: targets.to_vec(),
        hidden_tracked: hidden.track_op(),
        head_tracked: head_weight.track_op(),
        gradients: OnceLock::new(),
    };
    hidden.apply_op2(head_weight, op)
}

struct CrossEntropy {
    targets: Vec<u32>,
    hidden_tracked: bool,
    head_tracked: bool,
    gradients: OnceLock<Gradients>,
}

/// Gradients of the loss, empty where none is wanted.
struct Gradients {
    /// `[rows, model]`
    hidden: Vec<f32>,
    /// `[vocab, model]`
    head: Vec<f32>,
}

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(
        &self,
        hidden: &CpuStorage,
        hidden_layout: &Layout,
        head: &CpuStorage,
        head_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, model) = hidden_layout.shape().dims2()?;
        let (vocab, _) = head_layout.shape().dims2()?;
        let hidden = Matrix::new(slice(hidden, hidden_layout)?, rows, model);
        let head = Matrix::new(slice(head, head_layout)?, vocab, model);
        let mut d_hidden = room(if self.hidden_tracked { rows * model } else { 0 });
        let (losses, log_sums) = self.read_vocabulary(hidden, head, &mut d_hidden);
        let mut d_head = room(if self.head_tracked { vocab * model } else { 0 });
        if self.head_tracked {
            self.head_gradient(hidden, head, &log_sums, &mut d_head);
        }
        let loss = losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / rows as f64;
        let _ = self.gradients.set(Gradients { hidden: d_hidden, head: d_head });
        Ok(output(vec![loss as f32], ()))
    }

    fn bwd(
        &self,
        hidden: &Tensor,
        head: &Tensor,
        _loss: &Tensor,
        d_loss: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let Some(gradients) = self.gradients.get() else {
            bail!("cross-entropy: backward before forward");
        };
        let factor = d_loss.to_scalar::<f32>()?;
        let scaled = |gradient: &[f32], of: &Tensor| {
            tensor(gradient.iter().map(|d| d * factor).collect(), of.shape())
        };
        let d_hidden =
            if self.hidden_tracked { Some(scaled(&gradients.hidden, hidden)?) } else { None };
        let d_head = if self.head_tracked { Some(scaled(&gradients.head, head)?) } else { None };
        Ok((d_hidden, d_head))
    }
}

impl CrossEntropy {
    /// The loss of each row and the logarithm of its sum; writes `d_hidden` `[rows, model]`, the
    /// gradient of the mean loss, unless it is empty.
    fn read_vocabulary(
        &self,
        hidden: Matrix,
        head: Matrix,
        d_hidden: &mut [f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let (rows, vocab, model) = (hidden.rows(), head.rows(), head.columns());
        let block = rows.div_ceil(rows.div_ceil(ROWS)).next_multiple_of(PANEL);
        let blocks = rows.div_ceil(block);
        let parts = (2 * parallel::threads()).div_ceil(blocks).min(vocab);

        let tasks: Vec<OnceLock<Part>> = (0..blocks * parts).map(|_| OnceLock::new()).collect();
        parallel::tasks(tasks.len(), block * model * vocab / parts, |task| {
            let (first, part) = (task / parts * block, task % parts);
            let rows = Rows {
                hidden: hidden.rows_of(first, (first + block).min(rows)),
                targets: &self.targets[first..(first + block).min(rows)],
            };
            let tokens = vocab * part / parts..vocab * (part + 1) / parts;
            let _ = tasks[task].set(rows.read(head, tokens, self.hidden_tracked));
        });

        let (mut losses, mut log_sums) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut tasks = tasks.into_iter().filter_map(OnceLock::into_inner);
        for first in (0..rows).step_by(block) {
            let end = (first + block).min(rows);
            let parts: Vec<Part> = tasks.by_ref().take(parts).collect();
            let whole = Part::join(parts);
            for row in 0..end - first {
                let log_sum = whole.log_sum(row);
                losses.push(log_sum - whole.target_logit(row));
                log_sums.push(log_sum);
            }
            if self.hidden_tracked {
                let to = &mut d_hidden[first * model..end * model];
                let mut to = MatrixMut::new(to, end - first, model);
                whole.gradient(head, &self.targets[first..end], rows as f32, &mut to);
            }
        }
        (losses, log_sums)
    }

    /// Writes `d_head` `[vocab, model]`, chunk by chunk, from logits that are made again.
    fn head_gradient(&self, hidden: Matrix, head: Matrix, log_sums: &[f32], d_head: &mut [f32]) {
        let (rows, model) = (hidden.rows(), head.columns());
        let all = Rows { hidden, targets: &self.targets };
        parallel::blocks(d_head, model, 2 * rows, |start, d_head| {
            let tokens = start / model..(start + d_head.len()) / model;
            let mut to = MatrixMut::new(d_head, tokens.len(), model);
            all.head_gradient(head, tokens, log_sums, &mut to);
        });
    }
}
