//! Attention of queries, keys and values that were split and turned before.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::head::{Answer, Gradients, Head};
use super::{AttentionMask, MaskRow};
use crate::ops::gemm::Matrix;
use crate::ops::tensors::{all_plain, output, room, slice, tensor, values};
use crate::ops::{composed, parallel};

/// Maps `qkv` `[3, batch, heads, seq, head]` to what each position reads: `[batch, seq, model]`.
pub fn attention(qkv: &Tensor, mask: &AttentionMask) -> Result<Tensor> {
    if mask.is_packed() || !all_plain(&[qkv]) {
        return composed::attention(qkv, mask);
    }
    let (_, batch, _, seq, _) = qkv.dims5()?;
    mask.spans((batch, seq))?;
    qkv.apply_op1(Attention { mask: mask.rows.clone(), log_sums: OnceLock::new() })
}

struct Attention {
    mask: Vec<MaskRow>,
    /// `[batch, heads, seq]`, for the backward.
    log_sums: OnceLock<Vec<f32>>,
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, batch, heads, seq, size) = layout.shape().dims5()?;
        let qkv = slice(qkv, layout)?;
        let mut read = room(batch * heads * seq * size);
        let mut log_sums = room(batch * heads * seq);
        let (read_all, log_sums_all) =
            (parallel::Shared::new(&mut read), parallel::Shared::new(&mut log_sums));
        parallel::tasks(batch * heads, 2 * seq * seq * size, |task| {
            let head = self.head(qkv, task, (batch, heads, seq, size));
            let (sequence, index) = (task / heads, task % heads);
            #[expect(unsafe_code, reason = "each task writes its own columns and rows")]
            // SAFETY: tasks differ in sequence or head, hence in every element they write.
            let (mut read, log_sums) = unsafe {
                (
                    read_all.matrix(
                        sequence * seq * heads * size + index * size,
                        seq,
                        size,
                        heads * size,
                    ),
                    log_sums_all.slice(task * seq, seq),
                )
            };
            head.forward(&mut read, log_sums);
        });
        let _ = self.log_sums.set(log_sums);
        Ok(output(read, (batch, seq, heads * size)))
    }

    fn bwd(&self, qkv: &Tensor, read: &Tensor, d_read: &Tensor) -> Result<Option<Tensor>> {
        let Some(log_sums) = self.log_sums.get() else {
            bail!("attention: backward before forward");
        };
        let (_, batch, heads, seq, size) = qkv.dims5()?;
        let d_read = d_read.contiguous()?;
        let (qkv_values, read, d_read) = (values(qkv)?, values(read)?, values(&d_read)?);
        let (qkv_values, read, d_read) = (&*qkv_values, &*read, &*d_read);
        let mut d_qkv = vec![0.0; qkv_values.len()];
        let third = batch * heads * seq * size;
        let all = parallel::Shared::new(&mut d_qkv);
        parallel::tasks(batch * heads, 2 * seq * seq * size, |task| {
            let head = self.head(qkv_values, task, (batch, heads, seq, size));
            let columns = task / heads * seq * heads * size + task % heads * size;
            let answer = Answer {
                read: Matrix::strided(&read[columns..], seq, size, heads * size),
                d_read: Matrix::strided(&d_read[columns..], seq, size, heads * size),
                log_sums: &log_sums[task * seq..][..seq],
            };
            let part = task * seq * size;
            #[expect(unsafe_code, reason = "each task writes its own rows of the three thirds")]
            // SAFETY: a task writes only the rows of its own sequence and head.
            let mut gradients = unsafe {
                Gradients {
                    query: all.matrix(part, seq, size, size),
                    key: all.matrix(third + part, seq, size, size),
                    value: all.matrix(2 * third + part, seq, size, size),
                }
            };
            head.backward(&answer, &mut gradients);
        });
        Ok(Some(tensor(d_qkv, qkv.shape())?))
    }
}

impl Attention {
    fn head<'a>(
        &self,
        qkv: &'a [f32],
        task: usize,
        (batch, heads, seq, size): (usize, usize, usize, usize),
    ) -> Head<'a> {
        let third = |kind: usize| {
            let start = (kind * batch * heads + task) * seq * size;
            Matrix::new(&qkv[start..start + seq * size], seq, size)
        };
        let mask = self.mask[task / heads];
        Head { query: third(0), key: third(1), value: third(2), mask, past: 0 }
    }
}
