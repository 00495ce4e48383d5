//! Split, rotary positions and attention in one op: in training nothing but the fused
//! query-key-value tensor is kept.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::head::{Answer, Gradients, Head};
use super::{AttentionMask, Span, attention};
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
    let spans = mask.spans((shape.batch, shape.seq))?;
    if !all_plain(&[qkv, &rotation.cos, &rotation.sin]) {
        return attention(&rotary_qkv(qkv, rotation, heads)?, mask);
    }
    let rotation = rotation.clone();
    qkv.apply_op1(RotaryAttention { rotation, spans, shape, log_sums: OnceLock::new() })
}

struct RotaryAttention {
    rotation: Rotation,
    spans: Vec<Span>,
    shape: Split,
    /// `[heads, batch * seq]`, for the backward.
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
        let tokens = batch * seq;
        parallel::tasks(self.spans.len() * heads, self.work(), |task| {
            let (Span { start, len, .. }, index) = (self.spans[task / heads], task % heads);
            let angles = Angles::of(start..start + len, &cos, &sin, &self.rotation, self.shape);
            let mut turned = Scratch::take(2 * len * size);
            let head = self.head(qkv, task, angles, &mut turned);
            let first = start * heads * size + index * size;
            #[expect(unsafe_code, reason = "each task writes its own columns and rows")]
            // SAFETY: tasks differ in sequence or head, hence in every element they write.
            let (mut read, log_sums) = unsafe {
                (
                    read_all.matrix(first, len, size, heads * size),
                    log_sums_all.slice(index * tokens + start, len),
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
        let tokens = batch * seq;
        parallel::tasks(self.spans.len() * heads, self.work(), |task| {
            let (Span { start, len, .. }, index) = (self.spans[task / heads], task % heads);
            let angles = Angles::of(start..start + len, &cos, &sin, &self.rotation, self.shape);
            let mut turned = Scratch::take(2 * len * size);
            let head = self.head(qkv_values, task, angles, &mut turned);
            let columns = start * heads * size + index * size;
            let answer = Answer {
                read: Matrix::strided(&read[columns..], len, size, heads * size),
                d_read: Matrix::strided(&d_read[columns..], len, size, heads * size),
                log_sums: &log_sums[index * tokens + start..][..len],
            };
            let (stride, first) = (3 * heads * size, self.shape.start(start, index));
            #[expect(unsafe_code, reason = "each task writes its own columns of its own rows")]
            // SAFETY: a task writes only the columns of its own head in the rows of its sequence,
            // and its three parts do not overlap.
            let [mut to_query, mut to_key, mut value] =
                [0, 1, 2].map(|kind| unsafe { all.matrix(first + kind * size, len, size, stride) });
            value.clear();
            let mut d_turned = Scratch::take(2 * len * size);
            d_turned.fill(0.0);
            let (d_query, d_key) = d_turned.split_at_mut(len * size);
            let mut gradients = Gradients {
                query: MatrixMut::new(d_query, len, size),
                key: MatrixMut::new(d_key, len, size),
                value,
            };
            head.backward(&answer, &mut gradients);
            turn(Matrix::new(d_query, len, size), &mut to_query, angles, Turn::Back);
            turn(Matrix::new(d_key, len, size), &mut to_key, angles, Turn::Back);
        });
        Ok(Some(tensor(d_qkv, qkv.shape())?))
    }
}

impl RotaryAttention {
    /// Of one head of a sequence, on average.
    fn work(&self) -> usize {
        let squares: usize = self.spans.iter().map(|span| span.len * span.len).sum();
        2 * squares / self.spans.len().max(1) * self.shape.head
    }

    /// The head of `task`, its queries and keys turned into `turned` `[2, len, head]`.
    fn head<'a>(
        &self,
        qkv: &'a [f32],
        task: usize,
        angles: Angles,
        turned: &'a mut [f32],
    ) -> Head<'a> {
        let Split { heads, head: size, .. } = self.shape;
        let Span { start, len, mask } = self.spans[task / heads];
        let (stride, first) = (3 * heads * size, self.shape.start(start, task % heads));
        let (query, key) = turned.split_at_mut(len * size);
        for (kind, to) in [(0, &mut *query), (1, &mut *key)] {
            let from = Matrix::strided(&qkv[first + kind * size..], len, size, stride);
            turn(from, &mut MatrixMut::new(to, len, size), angles, Turn::Forward);
        }
        Head {
            query: Matrix::new(query, len, size),
            key: Matrix::new(key, len, size),
            value: Matrix::strided(&qkv[first + 2 * size..], len, size, stride),
            mask,
            past: 0,
        }
    }
}
