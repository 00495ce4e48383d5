//! Tokens, counted by the worker, some hundred pairs at a time.

use leptos::{prelude::*, task::spawn_local};

use super::Curating;
use crate::state::dataset::lengths::Lengths;

impl Curating {
    /// Counts what is not counted yet. Nothing without a vocabulary.
    pub fn count(self) {
        if self.is_counting.get_value() {
            return;
        }
        self.is_counting.set_value(true);
        spawn_local(async move {
            while self.count_some().await {}
            self.is_counting.set_value(false);
        });
    }

    /// Other limits, or another vocabulary: counts everything again.
    pub fn count_again(self) {
        self.lengths.update(Lengths::forget);
        self.count();
    }

    /// Whether there may be more to count.
    async fn count_some(self) -> bool {
        let uncounted = self.lengths.with_untracked(|lengths| {
            self.editor.with_untracked(|editor| lengths.uncounted(editor.rows()))
        });
        if uncounted.is_empty() {
            return false;
        }
        let by = self.counted_by();
        let measures = self.tokenizing.measure(uncounted.pairs(), by.1.clone()).await;
        if measures.is_empty() {
            return false;
        }
        if self.counted_by() == by {
            self.lengths.update(|lengths| lengths.learn(uncounted, measures));
        }
        true
    }

    /// What the counts depend on besides the texts.
    fn counted_by(self) -> (Option<crate::worker::Vocabulary>, weft_shared::sample::SampleOptions) {
        let vocabulary = self.tokenizing.vocabulary.get_untracked();
        (vocabulary, self.encoding.options.get_untracked())
    }
}
