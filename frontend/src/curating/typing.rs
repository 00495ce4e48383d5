//! What is being typed, and when it becomes an edit.

use leptos::prelude::*;

use super::Curating;
use crate::state::dataset::{draft::Draft, rows::Key};

impl Curating {
    /// Opens a row for editing.
    pub fn edit_row(self, key: Key) {
        self.close();
        let draft = self.editor.with_untracked(|editor| editor.rows().get(key).map(Draft::of));
        self.draft.set(draft);
    }

    /// Begins a new row.
    pub fn begin(self) {
        if self.draft.with_untracked(|draft| draft.as_ref().is_some_and(|it| it.key.is_none())) {
            return;
        }
        self.close();
        self.draft.set(Some(Draft::default()));
    }

    /// Makes an edit of what was typed; the row stays open. Returns the key of a row that is new.
    pub fn commit(self) -> Option<Key> {
        let draft = self.draft.get_untracked()?;
        match draft.key {
            Some(key) => {
                let before = self
                    .editor
                    .with_untracked(|editor| editor.rows().get(key).map(|row| row.pair.clone()))?;
                let pair = draft.pair(&before);
                if pair != *before {
                    self.edit(|editor| editor.update(key, pair));
                }
                None
            }
            None if draft.is_whole() => {
                self.draft.set(Some(Draft::default()));
                self.append(vec![draft.pair(&weft_shared::pair::Pair::default())])
            }
            None => None,
        }
    }

    /// Makes an edit of what was typed, and closes the row.
    pub fn close(self) {
        self.commit();
        self.draft.set(None);
    }

    /// Closes the row as it was.
    pub fn revert(self) {
        self.draft.set(None);
    }

    /// The open row's fields after its row changed elsewhere.
    pub(super) fn refresh_draft(self) {
        let Some(key) = self.draft.with_untracked(|draft| draft.as_ref()?.key) else { return };
        self.draft.set(self.editor.with_untracked(|editor| editor.rows().get(key).map(Draft::of)));
    }
}
