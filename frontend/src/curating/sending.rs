//! Changes on their way to the server, one batch after the other; tried again where it does not answer.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::dataset::NewDataset;

use super::{Curating, News};
use crate::{
    api::{self, CallError},
    state::dataset::{
        editor::Editor,
        saving::{Request, SaveState},
    },
};

const FIRST_PAUSE_MS: u32 = 1000;
const LONGEST_PAUSE_MS: u32 = 20_000;

impl Curating {
    /// Sends what waits, now.
    pub fn send(self) {
        spawn_local(self.send_all());
    }

    /// Gives up what the server refused.
    pub fn discard_unsaved(self) {
        self.draft.set(None);
        let id = self.editor.with_untracked(Editor::id);
        super::keeping::forget(id);
        self.replace(Editor::default());
        self.open(id);
    }

    /// Makes a new dataset of the rows, where theirs is gone.
    pub fn start_over(self) {
        super::keeping::forget(self.editor.with_untracked(Editor::id));
        self.edit(Editor::start_over);
    }

    async fn send_all(self) {
        let generation = self.generation.get_untracked();
        while self.may_send() {
            let Some(Some(request)) = self.editor.try_update(Editor::next_request) else { return };
            let answer = self.ask(&request, generation).await;
            if self.generation.get_untracked() != generation {
                return;
            }
            match answer {
                Ok(()) => self.attempts.set_value(0),
                Err(CallError::Refused(problem)) if problem.status == 409 => {
                    if self.load_again().await.is_err() {
                        self.editor.update(Editor::unanswered);
                        self.try_later(generation);
                        return;
                    }
                }
                Err(CallError::Refused(problem)) if problem.status < 500 => {
                    let gone = problem.status == 404;
                    self.editor.update(|editor| editor.refused(gone, problem.detail));
                    return;
                }
                Err(_) => {
                    self.editor.update(Editor::unanswered);
                    self.try_later(generation);
                    return;
                }
            }
            self.keep();
        }
    }

    /// Whether something waits and nothing is under way.
    fn may_send(self) -> bool {
        self.editor.with_untracked(|editor| {
            editor.saving().unsaved() > 0 && *editor.saving().state() != SaveState::Saving
        })
    }

    /// Asks, and takes the answer to the dataset it is for.
    async fn ask(self, request: &Request, generation: u32) -> Result<(), CallError> {
        let is_open = move || self.generation.get_untracked() == generation;
        match request {
            Request::Create => {
                let name = self.editor.with_untracked(|editor| editor.name().to_owned());
                let made = api::datasets::create(&NewDataset { name, pairs: Vec::new() }).await?;
                if is_open() {
                    super::keeping::forget(None);
                    self.editor.update(|editor| editor.created(made.id, made.revision));
                    self.keep();
                    self.keep_open();
                }
                self.datasets.update(|datasets| datasets.insert(0, made));
            }
            Request::Edit { dataset, edits } => {
                let edited = api::datasets::edit(*dataset, edits).await?;
                if is_open() {
                    self.editor.update(|editor| editor.confirmed(&edited));
                }
                self.datasets.update(|datasets| {
                    if let Some(summary) = datasets.iter_mut().find(|it| it.id == *dataset) {
                        summary.pairs = edited.pairs;
                        summary.revision = edited.revision;
                    }
                });
            }
        }
        Ok(())
    }

    /// Somebody else was quicker, or an answer got lost: what is unsaved is made on what the server has now.
    async fn load_again(self) -> Result<(), CallError> {
        let Some(id) = self.editor.with_untracked(Editor::id) else { return Ok(()) };
        let dataset = api::datasets::get(id).await?;
        let reloaded = self.editor.try_update(|editor| editor.reload(dataset)).unwrap_or_default();
        self.rename_draft(&reloaded);
        self.news.set(Some(News::ChangedElsewhere { copies: reloaded.copies }));
        Ok(())
    }

    fn try_later(self, generation: u32) {
        let attempts = self.attempts.get_value();
        self.attempts.set_value(attempts + 1);
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << attempts.min(10)).min(LONGEST_PAUSE_MS);
        spawn_local(async move {
            TimeoutFuture::new(pause).await;
            // Something else may have tried meanwhile, and may wait for its own turn.
            let is_next = self.attempts.get_value() == attempts + 1;
            if is_next && self.generation.get_untracked() == generation {
                self.send_all().await;
            }
        });
    }
}
