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

/// Memory is taken for so many tokens at a time.
const STEP: usize = 64;

/// Keys and values of one block, in memory that grows with them: many chats may write long answers, few do.
#[derive(Debug, Clone)]
pub struct KvCache {
    /// `[batch, heads, room, head]`
    keys: Tensor,
    /// `[batch, heads, room, head]`
    values: Tensor,
    len: usize,
    capacity: usize,
}

impl KvCache {
    /// An empty cache for up to `capacity` tokens of each sequence.
    pub fn new(
        (batch, heads, capacity, head): (usize, usize, usize, usize),
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let zeros = || Tensor::zeros((batch, heads, capacity.min(STEP), head), dtype, device);
        Ok(Self { keys: zeros()?, values: zeros()?, len: 0, capacity })
    }

    /// Makes room for `tokens` more, and for half as many as there are then: what is copied stays a small share of what is
    /// written.
    fn reserve(&mut self, tokens: usize) -> Result<()> {
        let wanted = self.len + tokens;
        if wanted > self.capacity {
            bail!("{wanted} tokens do not fit a cache of {}", self.capacity);
        }
        let (batch, heads, room, head) = self.keys.dims4()?;
        if wanted <= room {
            return Ok(());
        }
        let room = (wanted * 3 / 2).next_multiple_of(STEP).min(self.capacity);
        for part in [&mut self.keys, &mut self.values] {
            let larger = Tensor::zeros((batch, heads, room, head), part.dtype(), part.device())
                .map_err(|error| error.context(format!("no memory for {room} tokens of a chat")))?;
            if self.len > 0 {
                larger.slice_set(&part.narrow(2, 0, self.len)?.contiguous()?, 2, 0)?;
            }
            *part = larger;
        }
        Ok(())
    }

    /// Keys and values, `[batch, heads, room, head]` each, for ops that write there themselves after [`Self::grow`].
    #[cfg(feature = "cuda")]
    pub(in crate::ops) fn tensors(&self) -> (&Tensor, &Tensor) {
        (&self.keys, &self.values)
    }

    /// Counts `tokens` more, which must fit, and makes room for them.
    #[cfg(feature = "cuda")]
    pub(in crate::ops) fn grow(&mut self, tokens: usize) -> Result<()> {
        self.reserve(tokens)?;
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

    /// Tokens of each sequence that can be in it.
    pub fn capacity(&self) -> usize {
        self.capacity
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
        self.reserve(seq)?;
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
        let kept = self.keys.dims()[2] * size;
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

/// The newest token of each chat joins its cache and reads it: `split` `[3, chats, heads, 1, head]` to `[chats, 1, model]`.
pub fn attention_of_chats(split: &Tensor, caches: &mut [&mut KvCache]) -> Result<Tensor> {
    let (_, chats, ..) = split.dims5()?;
    if caches.len() != chats {
        bail!("{} caches for {chats} chats", caches.len());
    }
    // The newest token sees all others by itself.
    let mask = AttentionMask::new(vec![MaskRow { padding: 0, context: 0 }]);
    let read = caches.iter_mut().enumerate().map(|(chat, cache)| {
        cache.attention(&split.narrow(1, chat, 1)?.contiguous()?, &mask) // [1, 1, model]
    });
    Tensor::cat(&read.collect::<Result<Vec<_>>>()?, 0)
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
