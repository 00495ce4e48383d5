//! How many answers are being written, and how much was.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use super::CompletionError;

/// Each has pages of its own, up to 0.9 GB for ChatGLM-6B in f16, and a row in each step.
const MOST: usize = 64;

/// Of all answers of a server.
#[derive(Debug, Default)]
pub(super) struct Activity {
    active: AtomicUsize,
    prompt_tokens: AtomicU64,
    written_tokens: AtomicU64,
    is_ending: AtomicBool,
}

/// What is going on, and what was done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answers that are being written.
    pub active: usize,
    pub prompt_tokens: u64,
    pub written_tokens: u64,
}

/// That of one answer, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Arc<Activity>,
}

impl Activity {
    pub(super) fn enter(self: &Arc<Self>) -> Result<Place, CompletionError> {
        if self.is_ending.load(Ordering::Relaxed) {
            return Err(CompletionError::Ending);
        }
        let one_more = |active: usize| (active < MOST).then_some(active + 1);
        let entered = self.active.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        entered.map_err(|_| CompletionError::Busy { most: MOST })?;
        Ok(Place { of: self.clone() })
    }

    pub(super) fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            active: self.active.load(Ordering::Relaxed),
            prompt_tokens: self.prompt_tokens.load(Ordering::Relaxed),
            written_tokens: self.written_tokens.load(Ordering::Relaxed),
        }
    }
}

impl Place {
    pub(super) fn count_prompt(&self, tokens: usize) {
        self.of.prompt_tokens.fetch_add(tokens as u64, Ordering::Relaxed);
    }

    pub(super) fn count_written(&self, tokens: usize) {
        self.of.written_tokens.fetch_add(tokens as u64, Ordering::Relaxed);
    }

    /// Whether the server wants its answers to end.
    pub(super) fn is_ending(&self) -> bool {
        self.of.is_ending.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.active.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_answer_is_over() {
        let activity = Arc::new(Activity::default());
        let mut places: Vec<Place> = (0..MOST).map(|_| activity.enter().unwrap()).collect();

        assert!(matches!(activity.enter(), Err(CompletionError::Busy { most: MOST })));
        places.pop();
        assert!(activity.enter().is_ok());
        assert_eq!(activity.counts().active, MOST - 1);
    }

    #[test]
    fn a_server_that_ends_starts_no_answer() {
        let activity = Arc::new(Activity::default());
        let place = activity.enter().unwrap();

        activity.end();

        assert!(place.is_ending());
        assert!(matches!(activity.enter(), Err(CompletionError::Ending)));
    }
}
