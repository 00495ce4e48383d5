//! Where the kernels find the pages of a chat.

use candle_core::{Result, Tensor, bail};

use super::launch::{Arg, OnDevice as _, Table, device_of};

/// The addresses of a chat's pages, on the device. It is written before any kernel that reads it, in the order of the one
/// stream, and replaced by another when the chat has a page more.
#[derive(Debug)]
pub(in crate::ops) struct PageTable(Table);

impl PageTable {
    /// Of at least one page; the pages must live as long as kernels are launched with this.
    pub(in crate::ops) fn new(pages: &[&Tensor]) -> Result<Self> {
        let Some(first) = pages.first() else {
            bail!("a table of no pages");
        };
        let addresses = pages.iter().map(|page| page.address()).collect::<Result<Vec<_>>>()?;
        Table::new(&addresses, device_of(first)?).map(Self)
    }

    pub(super) fn address(&self) -> u64 {
        self.0.address()
    }

    pub(super) fn arg(&self) -> Arg {
        self.0.arg()
    }
}
