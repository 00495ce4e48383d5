//! Memory that a thread keeps from one op to the next.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

thread_local! {
    static SPARE: Cell<Vec<Vec<f32>>> = const { Cell::new(Vec::new()) };
}

/// Values for the time of one task; what they are at first is not defined.
pub(super) struct Scratch(Vec<f32>);

impl Scratch {
    pub(super) fn take(len: usize) -> Self {
        let mut spare = SPARE.take();
        let mut values = spare.pop().unwrap_or_default();
        SPARE.set(spare);
        if values.len() < len {
            values.resize(len, 0.0);
        }
        values.truncate(len);
        Self(values)
    }
}

impl Deref for Scratch {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut spare = SPARE.take();
        spare.push(std::mem::take(&mut self.0));
        SPARE.set(spare);
    }
}
