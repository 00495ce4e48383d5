//! Memory for keys and values in pages of one size, which chats take from a pool as they grow and give back when they end
//! (Kwon et al. 2023, "Efficient memory management for large language model serving").
//!
//! A page holds [`PAGE_TOKENS`] tokens of a chat in all blocks of the model, so that a chat has one list of pages and no
//! chat leaves more than one page partly filled. Nothing is ever moved.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Result, Tensor};

use crate::ops::memory;

/// Tokens of a page; `PAGE` of `kernels/decode.cu`.
pub const PAGE_TOKENS: usize = 64;

/// Free pages that are kept for the next chat; what is beyond goes back to the device, for whoever wants it.
const KEPT: usize = 4;

/// What the keys of a token look like: in so many blocks, for so many heads of so many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageShape {
    pub layers: usize,
    pub heads: usize,
    pub head: usize,
}

impl PageShape {
    /// A page that holds nothing yet.
    fn memory(self, dtype: DType, device: &Device) -> Result<Tensor> {
        let shape = (self.layers, 2, self.heads, PAGE_TOKENS, self.head);
        if device.is_cpu() {
            return Tensor::zeros(shape, dtype, device);
        }
        #[expect(unsafe_code, reason = "clearing pages holds up the chats that get them")]
        // SAFETY: any bits are numbers, and no op reads a token's before they are written.
        unsafe {
            Tensor::empty(shape, dtype, device)
        }
    }

    /// Numbers of a page.
    fn elements(self) -> usize {
        self.layers * 2 * self.heads * PAGE_TOKENS * self.head
    }
}

/// Why a chat gets no page; it alone fails, and whoever has pages goes on.
#[derive(Debug, thiserror::Error)]
pub enum OutOfPages {
    #[error(
        "no memory for {PAGE_TOKENS} more tokens of a chat: {wanted} bytes are wanted, {found} are free, and {in_use} pages \
         of that size are in use"
    )]
    Device { wanted: u64, found: u64, in_use: usize, source: candle_core::Error },
    #[error("a page could not be copied")]
    Copy(#[source] candle_core::Error),
    #[error(
        "no page for {PAGE_TOKENS} more tokens of a chat: all {most} that there may be are in use"
    )]
    Limit { most: usize },
}

impl From<OutOfPages> for candle_core::Error {
    fn from(error: OutOfPages) -> Self {
        Self::wrap(error)
    }
}

/// Where the chats of one model get their pages; clones are the same pool.
#[derive(Clone, Debug)]
pub struct PagePool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    shape: PageShape,
    dtype: DType,
    device: Device,
    /// Pages that may be in use at a time; with `None` as many as the device has memory for.
    most: Option<usize>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_use: usize,
    free: Vec<Tensor>,
}

/// Pages of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageCounts {
    /// That some chat, or a remembered prompt, has.
    pub in_use: usize,
    /// Kept for the next chat.
    pub free: usize,
    /// Of one page.
    pub bytes: u64,
}

impl PagePool {
    /// An empty pool, which takes memory of `device` when a page is asked for.
    pub fn new(shape: PageShape, dtype: DType, device: &Device, most: Option<usize>) -> Self {
        let (device, state) = (device.clone(), Mutex::default());
        Self { shared: Arc::new(Shared { shape, dtype, device, most, state }) }
    }

    /// A page whose numbers are not defined.
    pub(super) fn take(&self) -> std::result::Result<Page, OutOfPages> {
        let Shared { shape, dtype, device, most, .. } = &*self.shared;
        let mut state = self.shared.state();
        if let Some(most) = most.filter(|&most| state.in_use >= most) {
            return Err(OutOfPages::Limit { most });
        }
        let memory = if let Some(memory) = state.free.pop() {
            memory
        } else {
            let found = shape.memory(*dtype, device);
            found.map_err(|source| OutOfPages::Device {
                wanted: self.page_bytes(),
                found: memory::available(device).ok().flatten().unwrap_or(0),
                in_use: state.in_use,
                source,
            })?
        };
        state.in_use += 1;
        Ok(Page { memory, of: self.shared.clone() })
    }

    pub fn counts(&self) -> PageCounts {
        let state = self.shared.state();
        PageCounts { in_use: state.in_use, free: state.free.len(), bytes: self.page_bytes() }
    }

    pub(super) fn shape(&self) -> PageShape {
        self.shared.shape
    }

    #[cfg(feature = "cuda")]
    pub(super) fn is_on_gpu_in(&self, dtype: DType) -> bool {
        self.shared.dtype == dtype && self.shared.device.is_cuda()
    }

    fn page_bytes(&self) -> u64 {
        (self.shared.shape.elements() * self.shared.dtype.size_in_bytes()) as u64
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keys and values of [`PAGE_TOKENS`] tokens in all blocks; given back when dropped.
#[derive(Debug)]
pub(super) struct Page {
    /// `[layers, 2, heads, PAGE_TOKENS, head]`: in each block keys, then values.
    memory: Tensor,
    of: Arc<Shared>,
}

impl Page {
    pub(super) fn memory(&self) -> &Tensor {
        &self.memory
    }

    /// Becomes what `other` is.
    pub(super) fn copy(&self, other: &Self) -> Result<()> {
        self.memory.slice_set(&other.memory, 0, 0)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let mut state = self.of.state();
        state.in_use -= 1;
        if state.free.len() < KEPT {
            state.free.push(self.memory.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHAPE: PageShape = PageShape { layers: 2, heads: 1, head: 2 };
    const MOST: usize = 9;

    fn pool() -> PagePool {
        PagePool::new(SHAPE, DType::F32, &Device::Cpu, Some(MOST))
    }

    #[test]
    fn a_page_beyond_the_limit_is_refused_until_one_comes_back() {
        let pool = pool();
        let mut pages: Vec<Page> = (0..MOST).map(|_| pool.take().unwrap()).collect();

        let refused = pool.take().unwrap_err();

        assert!(refused.to_string().contains("all 9 that there may be are in use"), "{refused}");
        pages.pop();
        assert!(pool.take().is_ok());
    }

    proptest! {
        /// Pages are taken and given back at random places.
        #[test]
        fn what_is_taken_is_counted_and_nobody_else_has_it(steps in prop::collection::vec(any::<(bool, u8)>(), 0..60)) {
            let pool = pool();
            let mut pages: Vec<(Page, f32)> = Vec::new();
            for (step, (takes, place)) in steps.into_iter().enumerate() {
                if takes {
                    match pool.take() {
                        Ok(page) => {
                            let mark = step as f32;
                            let marks = page.memory().ones_like().unwrap().affine(f64::from(mark), 0.0).unwrap();
                            page.memory().slice_set(&marks, 0, 0).unwrap();
                            pages.push((page, mark));
                        }
                        Err(OutOfPages::Limit { most }) => prop_assert_eq!((most, pages.len()), (MOST, MOST)),
                        Err(error) => return Err(TestCaseError::fail(error.to_string())),
                    }
                } else if !pages.is_empty() {
                    let place = usize::from(place) % pages.len();
                    pages.swap_remove(place);
                }
                let counts = pool.counts();
                prop_assert_eq!(counts.in_use, pages.len());
                prop_assert!(counts.free <= KEPT);
            }
            for (page, mark) in &pages {
                let values: Vec<f32> = page.memory().flatten_all().unwrap().to_vec1().unwrap();
                prop_assert_eq!(values.len() as u64 * 4, pool.counts().bytes);
                prop_assert!(values.iter().all(|value| value == mark));
            }
            drop(pages);
            prop_assert_eq!(pool.counts().in_use, 0);
        }
    }
}
