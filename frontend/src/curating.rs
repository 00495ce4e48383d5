//! The dataset that is open and its way to the server: one for all pages, in the context, so that saving goes on
//! wherever a person is by then.

mod counting;
mod importing;
mod keeping;
mod opening;
mod sending;
mod typing;
mod versions;

use leptos::{ev, prelude::*};
use weft_shared::{api::dataset::DatasetSummary, pair::Pair};

use crate::{
    api::CallError,
    encoding::{Encoding, use_encoding},
    state::dataset::{
        change::Change, draft::Draft, editor::Editor, import::Report, lengths::Lengths, rows::Key,
    },
    tokenizing::{Tokenizing, use_tokenizing},
};

/// How far opening is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Opening,
    Open,
    /// It is tried again.
    Failed(CallError),
}

/// Something to tell that a person did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Somebody else changed the dataset; so many edits here became new rows.
    ChangedElsewhere {
        copies: usize,
    },
    Refused(CallError),
    /// The browser would not make the file.
    NoDownload,
}

/// Handles to all of it; copies are of the same dataset.
#[derive(Clone, Copy)]
pub struct Curating {
    pub editor: RwSignal<Editor>,
    /// The row that is being edited, or the one to come.
    pub draft: RwSignal<Option<Draft>>,
    pub datasets: RwSignal<Vec<DatasetSummary>>,
    pub phase: RwSignal<Phase>,
    pub news: RwSignal<Option<News>>,
    /// Of the last imports.
    pub reports: RwSignal<Vec<Report>>,
    pub lengths: RwSignal<Lengths>,
    /// Whether the browser keeps what the server has not got.
    pub is_kept: RwSignal<bool>,
    /// Counts up whenever another dataset is opened.
    generation: RwSignal<u32>,
    /// Counts up whenever something is to be opened.
    openings: StoredValue<u32>,
    is_counting: StoredValue<bool>,
    /// Retries in a row.
    attempts: StoredValue<u32>,
    encoding: Encoding,
    tokenizing: Tokenizing,
}

/// Nothing is asked of the server before [`Curating::open`]. To be called behind the other contexts.
pub fn provide() -> Curating {
    let curating = Curating {
        editor: RwSignal::default(),
        draft: RwSignal::default(),
        datasets: RwSignal::default(),
        phase: RwSignal::default(),
        news: RwSignal::default(),
        reports: RwSignal::default(),
        lengths: RwSignal::default(),
        is_kept: RwSignal::new(true),
        generation: RwSignal::new(0),
        openings: StoredValue::new(0),
        is_counting: StoredValue::new(false),
        attempts: StoredValue::new(0),
        encoding: use_encoding(),
        tokenizing: use_tokenizing(),
    };
    provide_context(curating);
    // The last moment to keep what is being typed.
    let leaving = window_event_listener(ev::pagehide, move |_| curating.keep_draft());
    on_cleanup(move || leaving.remove());
    curating
}

/// The page's dataset.
pub fn use_curating() -> Curating {
    expect_context()
}

impl Curating {
    /// Which dataset, in which state of its rows: what is derived of the rows depends on this. To be read: a memo that
    /// is only tracked is never computed, and then hears of no change.
    pub fn edition(self) -> Memo<(u32, u64)> {
        let edition = move |_: Option<&(u32, u64)>| {
            (self.generation.get(), self.editor.with(Editor::edition))
        };
        Memo::new(edition)
    }

    /// Adds pairs at the end and returns the first one's key.
    pub fn append(self, pairs: Vec<Pair>) -> Option<Key> {
        self.edit(|editor| editor.add(pairs))
    }

    pub fn delete(self, keys: &[Key]) {
        self.edit(|editor| editor.delete(keys));
        self.refresh_draft();
    }

    pub fn change(self, change: Change) {
        self.edit(|editor| editor.change(change));
        self.refresh_draft();
    }

    pub fn undo(self) {
        self.commit();
        self.edit(Editor::undo);
        self.refresh_draft();
    }

    pub fn redo(self) {
        self.commit();
        self.edit(Editor::redo);
        self.refresh_draft();
    }

    /// Changes the rows, and sees to it that the server gets to know.
    fn edit<T>(self, edit: impl FnOnce(&mut Editor) -> T) -> T
    where
        T: Default,
    {
        let done = self.editor.try_update(edit).unwrap_or_default();
        self.keep();
        self.send();
        done
    }
}
