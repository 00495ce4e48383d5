//! What the browser keeps while the server has not got it: unsaved changes by dataset, and a row half typed.

use leptos::prelude::*;

use super::Curating;
use crate::{
    remembered,
    state::dataset::{
        draft::Draft,
        editor::{Editor, Unsaved},
    },
};

const OPEN: &str = "weft-dataset";
const DRAFT: &str = "weft-draft";

/// A dataset that the server has not made yet has no id.
fn unsaved_name(dataset: Option<i64>) -> String {
    dataset.map_or("weft-unsaved-new".to_owned(), |id| format!("weft-unsaved-{id}"))
}

/// What was not saved of a dataset.
pub(super) fn unsaved(dataset: Option<i64>) -> Option<Unsaved> {
    remembered::read_json(&unsaved_name(dataset))
}

pub(super) fn forget(dataset: Option<i64>) {
    remembered::forget(&unsaved_name(dataset));
}

/// The dataset that was open last.
pub(super) fn last_open() -> Option<i64> {
    remembered::read(OPEN)?.parse().ok()
}

/// The new row that was being typed.
pub(super) fn draft() -> Option<Draft> {
    let draft = remembered::read_json(DRAFT);
    remembered::forget(DRAFT);
    draft
}

impl Curating {
    /// Keeps what is unsaved; drops it where everything is saved.
    pub(super) fn keep(self) {
        let (id, unsaved) = self.editor.with_untracked(|editor| (editor.id(), editor.unsaved()));
        let name = unsaved_name(id);
        let json = unsaved.and_then(|unsaved| serde_json::to_string(&unsaved).ok());
        let is_kept = json.as_ref().is_none_or(|json| remembered::keep(&name, json));
        if json.is_none() {
            remembered::forget(&name);
        }
        if self.is_kept.get_untracked() != is_kept {
            self.is_kept.set(is_kept);
        }
    }

    pub(super) fn keep_open(self) {
        if let Some(id) = self.editor.with_untracked(Editor::id) {
            remembered::write(OPEN, &id.to_string());
        }
    }

    /// Keeps what is being typed: an edit of a row as an edit, a new row as it is.
    pub(super) fn keep_draft(self) {
        self.commit();
        let draft = self.draft.get_untracked();
        let draft = draft.filter(|draft| draft.key.is_none() && !draft.is_blank());
        if let Some(json) = draft.and_then(|draft| serde_json::to_string(&draft).ok()) {
            remembered::keep(DRAFT, &json);
        }
    }
}
