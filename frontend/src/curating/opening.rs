//! Which dataset is open.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::dataset::{Dataset, NewDataset};

use super::{Curating, News, Phase, keeping};
use crate::{
    api::{self, CallError},
    state::dataset::{
        editor::{Editor, Reloaded},
        saving::SaveState,
    },
};

const PAUSE_MS: u32 = 2000;
/// How long another dataset waits until this one is saved.
const SAVING_STEPS: u32 = 60;
const SAVING_STEP_MS: u32 = 50;

impl Curating {
    /// Opens a dataset: the wanted one, else the one that was open last, else the one that was changed last. What is
    /// open already is brought up to date.
    pub fn open(self, wanted: Option<i64>) {
        let opening = self.openings.try_update_value(|it| {
            *it += 1;
            *it
        });
        spawn_local(async move {
            while let Err(error) = self.open_now(wanted).await {
                self.phase.set(Phase::Failed(error));
                TimeoutFuture::new(PAUSE_MS).await;
                if opening != Some(self.openings.get_value()) {
                    return;
                }
            }
            self.phase.set(Phase::Open);
            self.send();
        });
    }

    /// Opens another dataset, after this one is saved.
    pub fn switch(self, id: i64) {
        self.close();
        spawn_local(async move {
            for _ in 0..SAVING_STEPS {
                let state = self.editor.with_untracked(|it| it.saving().state().clone());
                if state != SaveState::Saving {
                    break;
                }
                TimeoutFuture::new(SAVING_STEP_MS).await;
            }
            self.open(Some(id));
        });
    }

    async fn open_now(self, wanted: Option<i64>) -> Result<(), CallError> {
        let datasets = api::datasets::list().await?;
        let exists = |id: &i64| datasets.iter().any(|dataset| dataset.id == *id);
        let current = self.editor.with_untracked(Editor::id);
        let chosen = wanted
            .filter(exists)
            .or(current.filter(exists))
            .or(keeping::last_open().filter(exists))
            .or(datasets.first().map(|dataset| dataset.id));
        self.datasets.set(datasets);

        if wanted.is_none() && self.is_unmade() {
            return Ok(());
        }
        if let Some(unsaved) = keeping::unsaved(None) {
            self.replace(Editor::unopened(unsaved));
            return Ok(());
        }
        match chosen {
            Some(id) => {
                let dataset = api::datasets::get(id).await?;
                // What was added meanwhile is not to be lost.
                if wanted.is_some() || !self.is_unmade() {
                    self.take(dataset);
                }
            }
            None if self.is_unmade() => {}
            None => self.replace(Editor::default()),
        }
        Ok(())
    }

    /// Whether pairs wait for a dataset that the server has not made yet.
    fn is_unmade(self) -> bool {
        self.editor.with_untracked(|editor| editor.id().is_none() && editor.saving().unsaved() > 0)
    }

    fn take(self, dataset: Dataset) {
        let id = dataset.summary.id;
        if self.editor.with_untracked(Editor::id) == Some(id) {
            let is_saving =
                self.editor.with_untracked(|it| *it.saving().state() == SaveState::Saving);
            // The answer that is under way tells as well whether somebody else changed something.
            if !is_saving {
                let reloaded = self.editor.try_update(|editor| editor.reload(dataset));
                self.rename_draft(&reloaded.unwrap_or_default());
            }
        } else {
            let (editor, reloaded) = Editor::open(dataset, keeping::unsaved(Some(id)));
            self.replace(editor);
            if reloaded.copies > 0 {
                self.news.set(Some(News::ChangedElsewhere { copies: reloaded.copies }));
            }
        }
        self.keep();
        self.keep_open();
    }

    pub(super) fn replace(self, editor: Editor) {
        self.draft.set(keeping::draft());
        self.news.set(None);
        self.reports.set(Vec::new());
        batch(|| {
            self.generation.update(|generation| *generation += 1);
            self.editor.set(editor);
        });
    }

    /// The open row under the key that it has now. What was typed into a row that is gone becomes a new one.
    pub(super) fn rename_draft(self, reloaded: &Reloaded) {
        let Some(mut draft) = self.draft.get_untracked() else { return };
        if let Some(key) = draft.key {
            let key = reloaded.renamed.get(&key).copied().unwrap_or(key);
            let exists = self.editor.with_untracked(|editor| editor.rows().get(key).is_some());
            draft.key = exists.then_some(key);
            self.draft.set(Some(draft));
        }
    }

    /// Makes an empty dataset and opens it.
    pub fn create(self, name: String) {
        self.close();
        spawn_local(async move {
            match api::datasets::create(&NewDataset { name, pairs: Vec::new() }).await {
                Ok(made) => self.switch(made.id),
                Err(error) => self.tell(error),
            }
        });
    }

    pub fn rename(self, name: String) {
        let Some(id) = self.editor.with_untracked(Editor::id) else { return };
        spawn_local(async move {
            match api::datasets::rename(id, name).await {
                Ok(renamed) => {
                    self.editor.update(|editor| editor.rename(renamed.name.clone()));
                    self.datasets.update(|datasets| {
                        datasets.iter_mut().filter(|it| it.id == id).for_each(|it| {
                            it.name.clone_from(&renamed.name);
                        });
                    });
                }
                Err(error) => self.tell(error),
            }
        });
    }

    /// Deletes the dataset that is open, for good.
    pub fn delete_dataset(self) {
        let Some(id) = self.editor.with_untracked(Editor::id) else { return };
        self.draft.set(None);
        spawn_local(async move {
            match api::datasets::delete(id).await {
                Ok(()) => {
                    keeping::forget(Some(id));
                    self.replace(Editor::default());
                    self.open(None);
                }
                Err(error) => self.tell(error),
            }
        });
    }

    pub(super) fn tell(self, error: CallError) {
        self.news.set(Some(News::Refused(error)));
    }
}
