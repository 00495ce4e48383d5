//! Versions of the dataset that is open.

use leptos::prelude::*;
use weft_shared::api::dataset::Version;

use super::Curating;
use crate::{
    api::{self, CallError},
    state::dataset::{change::Change, editor::Editor},
};

impl Curating {
    /// Newest first; empty for a dataset that is not made yet.
    pub async fn versions(self) -> Result<Vec<Version>, CallError> {
        let Some(id) = self.editor.with_untracked(Editor::id) else { return Ok(Vec::new()) };
        api::datasets::versions(id).await
    }

    /// Keeps what the server has as a version.
    pub async fn keep_version(self, note: String) -> Option<Version> {
        let id = self.editor.with_untracked(Editor::id)?;
        match api::datasets::keep_version(id, note).await {
            Ok(version) => Some(version),
            Err(error) => {
                self.tell(error);
                None
            }
        }
    }

    /// What would make the rows those of a version.
    pub async fn change_to(self, number: u32) -> Option<Change> {
        let id = self.editor.with_untracked(Editor::id)?;
        match api::datasets::version(id, number).await {
            Ok(rows) => Some(self.editor.with_untracked(|editor| editor.change_to(rows))),
            Err(error) => {
                self.tell(error);
                None
            }
        }
    }
}
