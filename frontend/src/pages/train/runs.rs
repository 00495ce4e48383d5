//! The runs: their list, the one that is looked at, and what the server tells of each that is followed.

use std::collections::{HashMap, HashSet};

use futures_util::{
    StreamExt as _,
    future::{AbortHandle, abortable},
};
use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::job::{Job, JobEvent, JobState};

use crate::{
    api::{self, CallError},
    components::train::run_head::RunAction,
    server::{Server, use_server},
    state::train::run_log::RunLog,
};

/// Events that came within this time are drawn at once: a run of thousands of steps is read back in a moment.
const DRAW_MS: u32 = 120;
/// Events that are taken in at once.
const BATCH: usize = 4096;
/// How long to wait before a connection that the browser gave up is tried again.
const RECONNECT_MS: u32 = 2000;
/// How often the list is read while a run is not over.
const LIST_MS: u32 = 4000;

/// Copies are of the same runs.
#[derive(Clone, Copy)]
pub struct Runs {
    server: Server,
    /// `None` until the server answers.
    pub(super) jobs: RwSignal<Option<Vec<Job>>>,
    chosen: RwSignal<Option<i64>>,
    /// The chosen one, else one that is not over, else the newest.
    pub(super) selected: Memo<Option<i64>>,
    pub(super) compared: RwSignal<Vec<i64>>,
    pub(super) logs: RwSignal<HashMap<i64, RunLog>>,
    following: StoredValue<HashMap<i64, AbortHandle>>,
    pub(super) trouble: RwSignal<Option<CallError>>,
}

impl Runs {
    pub(super) fn new(asked_for: Option<i64>) -> Self {
        let jobs = RwSignal::new(None::<Vec<Job>>);
        let chosen = RwSignal::new(asked_for);
        let selected = Memo::new(move |_| {
            jobs.with(|jobs| {
                let jobs = jobs.as_ref()?;
                let chosen = jobs.iter().find(|job| Some(job.id) == chosen.get());
                let going = || jobs.iter().rfind(|job| !job.state.is_over());
                chosen.or_else(going).or(jobs.first()).map(|job| job.id)
            })
        });
        let runs = Self {
            server: use_server(),
            jobs,
            chosen,
            selected,
            compared: RwSignal::default(),
            logs: RwSignal::default(),
            following: StoredValue::default(),
            trouble: RwSignal::default(),
        };
        spawn_local(runs.read_list());
        runs.follow_what_is_shown();
        runs.read_list_while_something_goes_on();
        runs
    }

    pub(super) fn select(self, id: i64) {
        self.chosen.set(Some(id));
        self.compared.update(|compared| compared.retain(|other| *other != id));
    }

    pub(super) fn compare(self, id: i64, is_wanted: bool) {
        self.compared.update(|compared| {
            compared.retain(|other| *other != id);
            if is_wanted {
                compared.push(id);
            }
        });
    }

    /// A run that was started just now.
    pub(super) fn add(self, job: Job) {
        let id = job.id;
        self.jobs.update(|jobs| jobs.get_or_insert_default().insert(0, job));
        self.select(id);
    }

    pub(super) fn act(self, id: i64, action: RunAction) {
        spawn_local(async move {
            let done = match action {
                RunAction::Cancel => api::jobs::cancel(id).await.map(drop),
                RunAction::Resume => api::jobs::resume(id).await.map(drop),
                RunAction::Delete => api::jobs::delete(id).await,
            };
            if self.jobs.is_disposed() {
                // The person left the page meanwhile.
                return;
            }
            let is_done = done.is_ok();
            self.trouble.set(done.err());
            match action {
                RunAction::Resume if is_done => self.follow_anew(id),
                RunAction::Delete if is_done => self.forget(id),
                _ => {}
            }
            self.read_list().await;
        });
    }

    fn forget(self, id: i64) {
        self.leave(id);
        self.logs.update(|logs| drop(logs.remove(&id)));
        self.compared.update(|compared| compared.retain(|other| *other != id));
    }

    async fn read_list(self) {
        match api::jobs::list().await {
            Ok(jobs) => self.jobs.set(Some(jobs)),
            Err(error) => self.trouble.set(Some(error)),
        }
    }

    fn read_list_while_something_goes_on(self) {
        spawn_local(async move {
            loop {
                TimeoutFuture::new(LIST_MS).await;
                let goes_on = self.jobs.try_with_untracked(|jobs| {
                    jobs.as_ref().is_some_and(|jobs| jobs.iter().any(|job| !job.state.is_over()))
                });
                match goes_on {
                    // The person left the page.
                    None => return,
                    Some(true) => self.read_list().await,
                    Some(false) => {}
                }
            }
        });
    }

    /// Follows the selected and the compared runs, and leaves the rest.
    fn follow_what_is_shown(self) {
        Effect::new(move || {
            let mut shown: HashSet<i64> = self.compared.get().into_iter().collect();
            shown.extend(self.selected.get());
            let left: Vec<i64> = self
                .following
                .with_value(|it| it.keys().filter(|id| !shown.contains(*id)).copied().collect());
            for id in left {
                self.leave(id);
            }
            for id in shown.into_iter().filter(|id| !self.is_told(*id)) {
                self.follow(id);
            }
        });
        on_cleanup(move || {
            let _ = self.following.try_with_value(|following| {
                following.values().for_each(AbortHandle::abort);
            });
        });
    }

    /// Whether nothing more will be told of it.
    fn is_told(self, id: i64) -> bool {
        let is_over = self.jobs.with_untracked(|jobs| {
            jobs.iter().flatten().any(|job| job.id == id && job.state.is_over())
        });
        is_over && self.is_log_over(id) == Some(true)
    }

    /// As its events say; `None` when the person left the page.
    fn is_log_over(self, id: i64) -> Option<bool> {
        self.logs.try_with_untracked(|logs| {
            logs.get(&id).and_then(RunLog::state).is_some_and(JobState::is_over)
        })
    }

    fn leave(self, id: i64) {
        let handle = self.following.try_update_value(|following| following.remove(&id)).flatten();
        if let Some(handle) = handle {
            handle.abort();
        }
    }

    /// The connection that is there may just be learning that nothing more will come.
    fn follow_anew(self, id: i64) {
        self.leave(id);
        self.follow(id);
    }

    fn follow(self, id: i64) {
        if self.following.with_value(|following| following.contains_key(&id)) {
            return;
        }
        let (reading, handle) = abortable(self.read_events(id));
        self.following.update_value(|following| drop(following.insert(id, handle)));
        spawn_local(async move {
            if reading.await.is_ok() {
                let _ = self.following.try_update_value(|following| following.remove(&id));
            }
        });
    }

    /// Takes in what happens until nothing more will.
    async fn read_events(self, id: i64) {
        loop {
            let mut batches = Box::pin(api::jobs::events(id).ready_chunks(BATCH));
            while let Some(batch) = batches.next().await {
                self.take_in(id, batch).await;
                TimeoutFuture::new(DRAW_MS).await;
            }
            if self.is_log_over(id) != Some(false) {
                return;
            }
            TimeoutFuture::new(RECONNECT_MS).await;
        }
    }

    async fn take_in(self, id: i64, events: Vec<JobEvent>) {
        let states = self.logs.try_update(|logs| {
            let log = logs.entry(id).or_default();
            let before = log.state();
            for event in events {
                log.receive(event);
            }
            (before, log.state())
        });
        let Some((before, now)) = states else { return };
        if before != now {
            self.read_list().await;
            if now.is_some_and(JobState::is_over) {
                self.server.refresh_adapters();
            }
        }
    }
}
