//! The keys and values of a chat so far, and attention over them.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use candle_core::{DType, Device, Result, Tensor, bail};

use super::head::Head;
use super::{AttentionMask, MaskRow};
use crate::ops::gemm::{Matrix, MatrixMut};
use crate::ops::scratch::Scratch;
use crate::ops::simd::{dot, exp, max, sum, versions};
use crate::ops::tensors::{all_plain, room, tensor, values};
use crate::ops::{composed, parallel};

/// Keys and values of one block, in memory that is taken once.
#[derive(Debug, Clone)]
pub struct KvCache {
    /// `[batch, heads, capacity, head]`
    keys: Tensor,
    /// `[batch, heads, capacity, head]`
    values: Tensor,
    len: usize,
    /// For the kernels that share a head's keys: zeros between their launches.
    #[cfg(feature = "cuda")]
    counters: std::sync::OnceLock<Tensor>,
}

impl KvCache {
    /// An empty cache for `capacity` tokens of each sequence.
    pub fn new(
        (batch, heads, capacity, head): (usize, usize, usize, usize),
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let shape = (batch, heads, capacity, head);
        let (keys, values) =
            (Tensor::zeros(shape, dtype, device)?, Tensor::zeros(shape, dtype, device)?);
        Ok(Self {
            keys,
            values,
            len: 0,
            #[cfg(feature = "cuda")]
            counters: std::sync::OnceLock::new(),
        })
    }

    /// Keys and values, `[batch, heads, capacity, head]` each, for ops that write there themselves and then tell by
    /// [`Self::grow`].
    #[cfg(feature = "cuda")]
    pub(in crate::ops) fn tensors(&self) -> (&Tensor, &Tensor) {
        (&self.keys, &self.values)
    }

    /// A counter for each of `heads`, u32.
    #[cfg(feature = "cuda")]
    pub(in crate::ops) fn counters(&self, heads: usize, device: &Device) -> Result<Tensor> {
        if let Some(counters) = self.counters.get() {
            return Ok(counters.clone());
        }
        let counters = Tensor::zeros(heads, DType::U32, device)?;
        Ok(self.counters.get_or_init(|| counters).clone())
    }

    /// Counts `tokens` more, which must fit.
    #[cfg(feature = "cuda")]
    pub(in crate::ops) fn grow(&mut self, tokens: usize) -> Result<()> {
        if self.len + tokens > self.capacity() {
            bail!("{} tokens do not fit a cache of {}", self.len + tokens, self.capacity());
        }
        self.len += tokens;
        Ok(())
    }

    /// Tokens of each sequence that are in the cache.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tokens of each sequence that fit.
    pub fn capacity(&self) -> usize {
        self.keys.dims()[2]
    }

    /// Forgets all but the first `len` tokens.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Appends keys and values of `split` `[3, batch, heads, seq, head]`, then lets its queries
    /// read: `[batch, seq, model]`. No gradient flows through a cache.
    pub fn attention(&mut self, split: &Tensor, mask: &AttentionMask) -> Result<Tensor> {
        let (_, batch, _, seq, _) = split.dims5()?;
        if mask.rows.len() != batch {
            bail!("a mask of {} rows for a batch of {batch}", mask.rows.len());
        }
        if self.len + seq > self.capacity() {
            bail!("{} tokens do not fit a cache of {}", self.len + seq, self.capacity());
        }
        self.keys.slice_set(&split.get(1)?.detach(), 2, self.len)?;
        self.values.slice_set(&split.get(2)?.detach(), 2, self.len)?;
        self.len += seq;
        let query = split.get(0)?; // [batch, heads, seq, head]
        if !all_plain(&[&query, &self.keys, &self.values]) {
            let (keys, values) =
                (self.keys.narrow(2, 0, self.len)?, self.values.narrow(2, 0, self.len)?);
            return composed::attend(&query, &keys, &values, &mask.rows, self.len - seq);
        }
        self.read(&query, &mask.rows)
    }

    fn read(&self, query: &Tensor, mask: &[MaskRow]) -> Result<Tensor> {
        let (batch, heads, seq, size) = query.dims4()?;
        let (queries, keys, cached) = (values(query)?, values(&self.keys)?, values(&self.values)?);
        let (queries, keys, cached) = (&*queries, &*keys, &*cached);
        let kept = self.capacity() * size;
        let mut read = room(batch * seq * heads * size);
        let all = parallel::Shared::new(&mut read);
        parallel::tasks(batch * heads, 4 * seq * self.len * size, |task| {
            let (sequence, index) = (task / heads, task % heads);
            let head = Head {
                query: Matrix::new(&queries[task * seq * size..], seq, size),
                key: Matrix::new(&keys[task * kept..], self.len, size),
                value: Matrix::new(&cached[task * kept..], self.len, size),
                mask: mask[sequence],
                past: self.len - seq,
            };
            let first = sequence * seq * heads * size + index * size;
            #[expect(unsafe_code, reason = "each task writes its own columns and rows")]
            // SAFETY: tasks differ in sequence or head, hence in every element they write.
            let mut read = unsafe { all.matrix(first, seq, size, heads * size) };
            if seq == 1 {
                read_one(&head, &mut read);
            } else {
                head.forward(&mut read, &mut vec![0.0; seq]);
            }
        });
        tensor(read, (batch, seq, heads * size))
    }
}

/// One query: going through the keys once is all there is to do.
fn read_one(head: &Head, read: &mut MatrixMut) {
    let (first, end) = (head.mask.padding, head.mask.end(head.past, head.key.rows()));
    let read = read.row_mut(0);
    read.fill(0.0);
    if head.past >= first {
        let mut weights = Scratch::take(end - first);
        let (key, value) = (head.key.rows_of(first, end), head.value.rows_of(first, end));
        attend(head.query.row(0), key, value, &mut weights, read);
    }
}

versions! {
    fn attend(
        query: &[f32],
        key: Matrix,
        value: Matrix,
        weights: &mut [f32],
        read: &mut [f32],
    ) = attend_lanes
}

/// `read += softmax(key · query / √head) · value`.
#[inline(always)]
fn attend_lanes(query: &[f32], key: Matrix, value: Matrix, weights: &mut [f32], read: &mut [f32]) {
    let scale = (query.len() as f32).sqrt().recip();
    for (i, weight) in weights.iter_mut().enumerate() {
        *weight = dot(query, key.row(i)) * scale;
    }
    let largest = max(weights);
    for weight in weights.iter_mut() {
        *weight = exp(*weight - largest);
    }
    let share = sum(weights).recip();
    for (i, weight) in weights.iter().enumerate() {
        let weight = weight * share;
        for (read, value) in read.iter_mut().zip(value.row(i)) {
            *read = weight.mul_add(*value, *read);
        }
    }
}
