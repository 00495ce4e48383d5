//! Split, rotary positions and attention in one op: in training nothing but the fused
//! query-key-value tensor is kept.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::head::{Answer, Gradients, Head};
use super::{AttentionMask, MaskRow, attention};
use crate::ops::gemm::{Matrix, MatrixMut};
use crate::ops::parallel;
use crate::ops::rotary::{Angles, Rotation, Split, Turn, rotary_qkv, turn};
use crate::ops::scratch::Scratch;
use crate::ops::tensors::{all_plain, output, room, slice, tensor, values};

/// `attention(rotary_qkv(qkv))`: maps `[batch, seq, heads * 3 * head]` to `[batch, seq, model]`.
pub fn rotary_attention(
    qkv: &Tensor,
    rotation: &Rotation,
    heads: usize,
    mask: &AttentionMask,
) -> Result<Tensor> {
    let shape = Split::new(qkv.layout(), rotation, heads)?;
    if mask.rows.len() != shape.batch {
        bail!("a mask of {} rows for a batch of {}", mask.rows.len(), shape.batch);
    }
    if !all_plain(&[qkv, &rotation.cos, &rotation.sin]) {
        return attention(&rotary_qkv(qkv, rotation, heads)?, mask);
    }
    let (rotation, mask) = (rotation.clone(), mask.rows.clone());
    qkv.apply_op1(RotaryAttention { rotation, mask, shape, log_sums: OnceLock::new() })
}

struct RotaryAttention {
    rotation: Rotation,
    mask: Vec<MaskRow>,
    shape: Split,
    /// `[batch, heads, seq]`, for the backward.
    log_sums: OnceLock<Vec<f32>>,
}

impl CustomOp1 for RotaryAttention {
    fn name(&self) -> &'static str {
        "rotary-attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let qkv = slice(qkv, layout)?;
        let Split { batch, seq, heads, head: size } = self.shape;
        let (cos, sin) = (values(&self.rotation.cos)?, values(&self.rotation.sin)?);
        let mut read = room(batch * seq * heads * size);
        let mut log_sums = room(batch * heads * seq);
        let (read_all, log_sums_all) =
            (parallel::Shared::new(&mut read), parallel::Shared::new(&mut log_sums));
        parallel::tasks(batch * heads, 2 * seq * seq * size, |task| {
            let (sequence, index) = (task / heads, task % heads);
            let angles = Angles::of(sequence, &cos, &sin, &self.rotation, self.shape);
            let mut turned = Scratch::take(2 * seq * size);
            let head = self.head(qkv, task, angles, &mut turned);
            let first = sequence * seq * heads * size + index * size;
            #[expect(unsafe_code, reason = "each task writes its own columns and rows")]
            // SAFETY: tasks differ in sequence or head, hence in every element they write.
            let (mut read, log_sums) = unsafe {
                (
                    read_all.matrix(first, seq, size, heads * size),
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
            bail!("rotary-attention: backward before forward");
        };
        let Split { seq, heads, head: size, batch } = self.shape;
        let d_read = d_read.contiguous()?;
        let (qkv_values, read, d_read) = (values(qkv)?, values(read)?, values(&d_read)?);
        let (qkv_values, read, d_read) = (&*qkv_values, &*read, &*d_read);
        let (cos, sin) = (values(&self.rotation.cos)?, values(&self.rotation.sin)?);
        let mut d_qkv = room(qkv_values.len());
        let all = parallel::Shared::new(&mut d_qkv);
        parallel::tasks(batch * heads, 2 * seq * seq * size, |task| {
            let (sequence, index) = (task / heads, task % heads);
            let angles = Angles::of(sequence, &cos, &sin, &self.rotation, self.shape);
            let mut turned = Scratch::take(2 * seq * size);
            let head = self.head(qkv_values, task, angles, &mut turned);
            let columns = sequence * seq * heads * size + index * size;
            let answer = Answer {
                read: Matrix::strided(&read[columns..], seq, size, heads * size),
                d_read: Matrix::strided(&d_read[columns..], seq, size, heads * size),
                log_sums: &log_sums[task * seq..][..seq],
            };
            let (stride, start) = (3 * heads * size, self.shape.start(task));
            #[expect(unsafe_code, reason = "each task writes its own columns of its own rows")]
            // SAFETY: a task writes only the columns of its own head in the rows of its sequence,
            // and its three parts do not overlap.
            let [mut to_query, mut to_key, mut value] =
                [0, 1, 2].map(|kind| unsafe { all.matrix(start + kind * size, seq, size, stride) });
            value.clear();
            let mut d_turned = Scratch::take(2 * seq * size);
            d_turned.fill(0.0);
            let (d_query, d_key) = d_turned.split_at_mut(seq * size);
            let mut gradients = Gradients {
                query: MatrixMut::new(d_query, seq, size),
                key: MatrixMut::new(d_key, seq, size),
                value,
            };
            head.backward(&answer, &mut gradients);
            turn(Matrix::new(d_query, seq, size), &mut to_query, angles, Turn::Back);
            turn(Matrix::new(d_key, seq, size), &mut to_key, angles, Turn::Back);
        });
        Ok(Some(tensor(d_qkv, qkv.shape())?))
    }
}

impl RotaryAttention {
    /// The head of `task`, its queries and keys turned into `turned` `[2, seq, head]`.
    fn head<'a>(
        &self,
        qkv: &'a [f32],
        task: usize,
        angles: Angles,
        turned: &'a mut [f32],
    ) -> Head<'a> {
        let Split { seq, heads, head: size, .. } = self.shape;
        let (stride, start) = (3 * heads * size, self.shape.start(task));
        let (query, key) = turned.split_at_mut(seq * size);
        for (kind, to) in [(0, &mut *query), (1, &mut *key)] {
            let from = Matrix::strided(&qkv[start + kind * size..], seq, size, stride);
            turn(from, &mut MatrixMut::new(to, seq, size), angles, Turn::Forward);
        }
        Head {
            query: Matrix::new(query, seq, size),
            key: Matrix::new(key, seq, size),
            value: Matrix::strided(&qkv[start + 2 * size..], seq, size, stride),
            mask: self.mask[task / heads],
            past: 0,
        }
    }
}
