//! The keys and values of a chat so far, and attention over them.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use std::sync::Arc;
#[cfg(feature = "cuda")]
use std::sync::OnceLock;

use candle_core::{Result, Tensor, bail};

use super::AttentionMask;
use super::head::Head;
use super::pages::{OutOfPages, PAGE_TOKENS, Page, PagePool, PageShape};
#[cfg(feature = "cuda")]
use crate::ops::cuda::Table;
use crate::ops::gemm::{Matrix, MatrixMut};
use crate::ops::rotary::{Rotation, rotary_qkv};
use crate::ops::scratch::Scratch;
use crate::ops::simd::{dot, exp, max, sum, versions};
use crate::ops::tensors::{all_plain, room, tensor, values};
use crate::ops::{composed, parallel};

/// Keys and values of one sequence in all blocks of a model.
///
/// A pass over the model first has [`Self::reserve`] make room, then each block writes and reads through its
/// [`Self::layer`], and at last [`Self::advance`] counts what all of them have written: a pass that fails leaves the cache as
/// it was.
#[derive(Debug)]
pub struct KvCache {
    pool: PagePool,
    /// One that others hold too is only read.
    pages: Vec<Arc<Page>>,
    len: usize,
    /// Where the kernels of a GPU find the pages, from the first use on; another when there is another page. Whichever kernel
    /// reads it comes later in the order of the one stream.
    #[cfg(feature = "cuda")]
    table: OnceLock<Table>,
}

impl KvCache {
    /// An empty cache, without a page yet.
    pub fn new(pool: &PagePool) -> Self {
        Self::of(pool, Vec::new(), 0)
    }

    fn of(pool: &PagePool, pages: Vec<Arc<Page>>, len: usize) -> Self {
        Self {
            pool: pool.clone(),
            pages,
            len,
            #[cfg(feature = "cuda")]
            table: OnceLock::new(),
        }
    }

    /// Another cache with the same tokens, in the same pages: whichever of both grows first copies the last page if it is
    /// not full.
    #[must_use]
    pub fn share(&self) -> Self {
        let pages = self.pages[..self.len.div_ceil(PAGE_TOKENS)].to_vec();
        Self::of(&self.pool, pages, self.len)
    }

    /// Makes room for `tokens` more, or for none of them.
    pub fn reserve(&mut self, tokens: usize) -> std::result::Result<(), OutOfPages> {
        if tokens == 0 {
            return Ok(());
        }
        let (full, end) = (self.len / PAGE_TOKENS, (self.len + tokens).div_ceil(PAGE_TOKENS));
        for page in self.pages.iter_mut().take(end).skip(full) {
            if Arc::get_mut(page).is_none() {
                let own = self.pool.take()?;
                own.copy(page).map_err(OutOfPages::Copy)?;
                *page = Arc::new(own);
                #[cfg(feature = "cuda")]
                self.table.take();
            }
        }
        let more = end.saturating_sub(self.pages.len());
        let more: std::result::Result<Vec<_>, _> = (0..more).map(|_| self.pool.take()).collect();
        for page in more? {
            self.pages.push(Arc::new(page));
            #[cfg(feature = "cuda")]
            self.table.take();
        }
        Ok(())
    }

    /// Counts `tokens` more, which every block has written.
    pub fn advance(&mut self, tokens: usize) {
        self.len += tokens;
    }

    /// Tokens that are in the cache.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Pages that it has, shared ones among them.
    pub fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Forgets all but the first `len` tokens, and keeps the pages.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// What block `layer` writes and reads.
    pub fn layer(&self, layer: usize) -> LayerCache<'_> {
        LayerCache { cache: self, layer }
    }
}

/// A cache as one block of the model sees it. New tokens go behind the [`Self::len`] that it holds, where
/// [`KvCache::reserve`] made room.
#[derive(Clone, Copy, Debug)]
pub struct LayerCache<'a> {
    cache: &'a KvCache,
    layer: usize,
}

impl LayerCache<'_> {
    /// Tokens before those of this pass.
    pub fn len(self) -> usize {
        self.cache.len
    }

    pub fn is_empty(self) -> bool {
        self.cache.len == 0
    }

    fn shape(self) -> PageShape {
        self.cache.pool.shape()
    }

    /// Fails where there is no room for `seq` tokens more.
    fn check_room(self, seq: usize) -> Result<()> {
        let room = self.cache.pages.len() * PAGE_TOKENS;
        let wanted = self.cache.len + seq;
        if wanted > room {
            bail!("{wanted} tokens in a cache with room for {room}");
        }
        Ok(())
    }

    /// Which block this is, and where the kernels find its pages when they write `seq` tokens more.
    #[cfg(feature = "cuda")]
    pub(in crate::ops) fn table(&self, seq: usize) -> Result<(usize, &Table)> {
        self.check_room(seq)?;
        if let Some(table) = self.cache.table.get() {
            return Ok((self.layer, table));
        }
        let pages: Vec<_> = self.cache.pages.iter().map(|page| page.memory()).collect();
        let table = Table::of(&pages)?;
        Ok((self.layer, self.cache.table.get_or_init(|| table)))
    }

    /// Whether it is kept in this type on a GPU.
    #[cfg(feature = "cuda")]
    pub(in crate::ops) fn is_on_gpu_in(self, dtype: candle_core::DType) -> bool {
        self.cache.pool.is_on_gpu_in(dtype)
    }

    /// Writes keys and values of `split` `[3, 1, heads, seq, head]`, then lets its queries read: `[1, seq, model]`. No
    /// gradient flows through a cache.
    pub fn attention(self, split: &Tensor, mask: &AttentionMask) -> Result<Tensor> {
        let (_, batch, heads, seq, size) = split.dims5()?;
        let [mask] = mask.rows[..] else {
            bail!("a mask of {} rows for one chat", mask.rows.len());
        };
        let PageShape { heads: kept, head, .. } = self.shape();
        if batch != 1 || (heads, size) != (kept, head) {
            bail!("{split:?} for the cache of a chat with {kept} heads of {head}");
        }
        self.write(split, seq)?;
        let query = split.get(0)?; // [1, heads, seq, head]
        if seq == 1 && mask.padding == 0 && self.is_plain() && all_plain(&[&query]) {
            return self.read_newest(&query);
        }
        // The tokens of a first pass are all that there is.
        let [keys, values] = match self.cache.len {
            0 => [split.get(1)?, split.get(2)?],
            _ => [self.gather(0, seq)?, self.gather(1, seq)?],
        }; // [1, heads, len + seq, head] each
        if all_plain(&[&query, &keys, &values]) {
            return read(&query, &keys, &values, mask);
        }
        composed::attend(&query, &keys, &values, &[mask], self.cache.len)
    }

    fn is_plain(self) -> bool {
        self.cache.pages.first().is_some_and(|page| all_plain(&[page.memory()]))
    }

    /// Keys and values of `split` `[3, 1, heads, seq, head]` to the places behind those that are there.
    fn write(self, split: &Tensor, seq: usize) -> Result<()> {
        self.check_room(seq)?;
        let split = split.detach();
        let mut written = 0;
        while written < seq {
            let at = self.cache.len + written;
            let (page, place) = (at / PAGE_TOKENS, at % PAGE_TOKENS);
            let count = (PAGE_TOKENS - place).min(seq - written);
            for kind in 0..2 {
                let new = split.get(1 + kind)?.squeeze(0)?.narrow(1, written, count)?;
                self.part(page, kind)?.slice_set(&new.contiguous()?, 1, place)?;
            }
            written += count;
        }
        Ok(())
    }

    /// Keys (`kind` 0) or values (1) of this block in a page, `[heads, PAGE_TOKENS, head]`.
    fn part(self, page: usize, kind: usize) -> Result<Tensor> {
        self.cache.pages[page].memory().get(self.layer)?.get(kind)
    }

    /// Keys or values of all tokens and the `seq` after them, in one piece: `[1, heads, len + seq, head]`.
    fn gather(self, kind: usize, seq: usize) -> Result<Tensor> {
        let len = self.cache.len + seq;
        let parts = (0..len.div_ceil(PAGE_TOKENS)).map(|page| self.part(page, kind));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        Tensor::cat(&parts, 1)?.narrow(1, 0, len)?.contiguous()?.unsqueeze(0)
    }

    /// What one query `[1, heads, 1, head]` reads of all tokens and the one just written, `[1, 1, model]`: it goes through
    /// the pages where they are.
    fn read_newest(self, query: &Tensor) -> Result<Tensor> {
        let PageShape { heads, head: size, .. } = self.shape();
        let len = self.cache.len + 1;
        let query = values(query)?;
        let query = &*query;
        let pages = self.cache.pages[..len.div_ceil(PAGE_TOKENS)].iter();
        let pages = pages.map(|page| values(page.memory())).collect::<Result<Vec<_>>>()?;
        let pages: Vec<&[f32]> = pages.iter().map(|page| &**page).collect();
        let pages = &pages[..];
        let mut read = room(heads * size);
        let all = parallel::Shared::new(&mut read);
        parallel::tasks(heads, 4 * len * size, |head| {
            let first = |kind: usize| ((self.layer * 2 + kind) * heads + head) * PAGE_TOKENS * size;
            let rows = |kind: usize| PagedRows { pages, first: first(kind), size };
            #[expect(unsafe_code, reason = "each task writes its own columns")]
            // SAFETY: tasks differ in their head, hence in every element they write.
            let mut read: MatrixMut = unsafe { all.matrix(head * size, 1, size, size) };
            let read = read.row_mut(0);
            read.fill(0.0);
            let mut weights = Scratch::take(len);
            attend(&query[head * size..][..size], rows(0), rows(1), &mut weights, read);
        });
        tensor(read, (1, 1, heads * size))
    }
}

/// What queries `[1, heads, seq, head]` read of keys and values `[1, heads, len, head]`, the last of which are their own:
/// `[1, seq, model]`.
fn read(query: &Tensor, key: &Tensor, value: &Tensor, mask: super::MaskRow) -> Result<Tensor> {
    let (_, heads, seq, size) = query.dims4()?;
    let len = key.dims()[2];
    let (queries, keys, cached) = (values(query)?, values(key)?, values(value)?);
    let (queries, keys, cached) = (&*queries, &*keys, &*cached);
    let mut read = room(seq * heads * size);
    let all = parallel::Shared::new(&mut read);
    parallel::tasks(heads, 4 * seq * len * size, |index| {
        let head = Head {
            query: Matrix::new(&queries[index * seq * size..], seq, size),
            key: Matrix::new(&keys[index * len * size..], len, size),
            value: Matrix::new(&cached[index * len * size..], len, size),
            mask,
            past: len - seq,
        };
        #[expect(unsafe_code, reason = "each task writes its own columns")]
        // SAFETY: tasks differ in their head, hence in every element they write.
        let mut read = unsafe { all.matrix(index * size, seq, size, heads * size) };
        head.forward(&mut read, &mut vec![0.0; seq]);
    });
    tensor(read, (1, seq, heads * size))
}

/// The newest token of each chat joins its cache and reads it: `qkv` `[chats, 1, heads * 3 * head]` to `[chats, 1, model]`.
/// `rotation` has its row for each.
pub fn rotary_attention_of_chats(
    qkv: &Tensor,
    rotation: &Rotation,
    heads: usize,
    caches: &[LayerCache],
) -> Result<Tensor> {
    let (chats, ..) = qkv.dims3()?;
    if caches.len() != chats {
        bail!("{} caches for {chats} chats", caches.len());
    }
    #[cfg(feature = "cuda")]
    if let Some(read) = crate::ops::cuda::attention_of_chats(qkv, rotation, heads, caches)? {
        return Ok(read);
    }
    let split = rotary_qkv(qkv, rotation, heads)?; // [3, chats, heads, 1, head]
    // The newest token sees all others by itself.
    let mask = AttentionMask::new(vec![super::MaskRow { padding: 0, context: 0 }]);
    let read = caches.iter().enumerate().map(|(chat, cache)| {
        cache.attention(&split.narrow(1, chat, 1)?.contiguous()?, &mask) // [1, 1, model]
    });
    Tensor::cat(&read.collect::<Result<Vec<_>>>()?, 0)
}

/// Keys or values of a head, a row of `size` numbers for each token.
#[derive(Clone, Copy)]
struct PagedRows<'a> {
    pages: &'a [&'a [f32]],
    /// Of this head and block in each page.
    first: usize,
    size: usize,
}

impl<'a> PagedRows<'a> {
    /// The rows of one page after the other.
    #[inline(always)]
    fn page(self, page: usize) -> &'a [f32] {
        &self.pages[page][self.first..][..PAGE_TOKENS * self.size]
    }
}

versions! {
    fn attend(
        query: &[f32],
        key: PagedRows,
        value: PagedRows,
        weights: &mut [f32],
        read: &mut [f32],
    ) = attend_lanes
}

/// `read += softmax(key · query / √head) · value`, of as many keys as there are weights.
#[inline(always)]
fn attend_lanes(
    query: &[f32],
    key: PagedRows,
    value: PagedRows,
    weights: &mut [f32],
    read: &mut [f32],
) {
    let scale = (query.len() as f32).sqrt().recip();
    for (page, weights) in weights.chunks_mut(PAGE_TOKENS).enumerate() {
        for (weight, row) in weights.iter_mut().zip(key.page(page).chunks_exact(key.size)) {
            *weight = dot(query, row) * scale;
        }
    }
    let largest = max(weights);
    for weight in weights.iter_mut() {
        *weight = exp(*weight - largest);
    }
    let share = sum(weights).recip();
    for (page, weights) in weights.chunks(PAGE_TOKENS).enumerate() {
        for (weight, row) in weights.iter().zip(value.page(page).chunks_exact(value.size)) {
            let weight = weight * share;
            for (read, value) in read.iter_mut().zip(row) {
                *read = weight.mul_add(*value, *read);
            }
        }
    }
}
