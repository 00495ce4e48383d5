//! Training runs of a server: checked, queued, run one at a time on the device, and told of as they go on; and
//! evaluations beside them.
//!
//! Everything that happens is in the store before anybody hears of it, so a page that reconnects, or a server that
//! was killed, goes on where it was.

mod answers;
mod check;
mod dry_run;
mod error;
mod evaluations;
mod queue;
mod run;
mod start;
mod watcher;
mod worker;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tokio::sync::watch;
use weft_shared::{
    api::job::{Job, JobEvent, JobEventKind, JobState},
    manifest::Manifest,
};

use self::queue::Queue;
pub use self::{error::JobsError, run::ADAPTER_FILES, worker::Worker};
use crate::{
    bench,
    data_dir::DataDir,
    engine::Engine,
    estimate::Rates,
    store::{Store, StoreError},
};

/// A handle to the jobs of a server; clones are of the same.
#[derive(Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    dir: DataDir,
    engine: Arc<Engine>,
    queue: Queue,
    /// Counts what happened, for whoever waits for the next event.
    happened: watch::Sender<u64>,
    /// Tokens a second of the last steps, of a run or a dry run.
    speed: Mutex<Option<f64>>,
    /// Of the device, once they are measured.
    rates: OnceLock<Rates>,
}

impl Jobs {
    /// Takes up the jobs of the store: what was running when the last server ended is queued again.
    pub fn open(store: Store, dir: DataDir, engine: Arc<Engine>) -> Result<Self, JobsError> {
        let jobs = Self {
            inner: Arc::new(Inner {
                store,
                dir,
                engine,
                queue: Queue::default(),
                happened: watch::Sender::new(0),
                speed: Mutex::default(),
                rates: OnceLock::new(),
            }),
        };
        jobs.remove_adapters_without_files()?;
        for job in jobs.store().running()? {
            jobs.enter(job.id, JobState::Queued, None)?;
        }
        Ok(jobs)
    }

    /// Newest first.
    pub fn list(&self) -> Result<Vec<Job>, JobsError> {
        Ok(self.store().jobs()?)
    }

    pub fn get(&self, id: i64) -> Result<Job, JobsError> {
        Ok(self.store().job(id)?)
    }

    pub fn manifest(&self, id: i64) -> Result<Manifest, JobsError> {
        Ok(self.store().manifest(id)?)
    }

    /// Some of what happened to a job after the event `seq`, oldest first.
    pub fn events_after(&self, id: i64, seq: u64) -> Result<Vec<JobEvent>, JobsError> {
        const SOME: usize = 500;
        Ok(self.store().events_after(id, seq, SOME)?)
    }

    /// Changes whenever there is a new event of any job.
    pub fn happenings(&self) -> watch::Receiver<u64> {
        self.inner.happened.subscribe()
    }

    /// Stops the running job at its next step, with a checkpoint, and starts no other: the server ends.
    pub fn end(&self) {
        self.inner.queue.lock().end();
        self.wake_followers();
    }

    /// Whether nothing more happens before the next start of the server.
    pub fn is_ending(&self) -> bool {
        self.inner.queue.lock().is_ending()
    }

    /// Stops a job at its next step, with a checkpoint.
    pub fn cancel(&self, id: i64) -> Result<Job, JobsError> {
        let queue = self.inner.queue.lock();
        let job = self.get(id)?;
        match job.state {
            JobState::Queued => self.enter(id, JobState::Cancelled, None)?,
            JobState::Running => queue.cancel(id),
            _ => return Err(StoreError::JobIsOver(id).into()),
        }
        self.get(id)
    }

    /// Queues a cancelled or failed job again; it goes on from its newest checkpoint.
    pub fn resume(&self, id: i64) -> Result<Job, JobsError> {
        let queue = self.inner.queue.lock();
        let job = self.get(id)?;
        if !matches!(job.state, JobState::Cancelled | JobState::Failed) {
            return Err(JobsError::NotResumable { id, state: job.state });
        }
        self.enter(id, JobState::Queued, None)?;
        queue.wake();
        self.get(id)
    }

    /// Deletes a job that is over, with its checkpoints. The adapter that it made stays.
    pub fn delete(&self, id: i64) -> Result<(), JobsError> {
        self.store().delete_job(id)?;
        remove(self.inner.dir.job(id))
    }

    fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Puts a job into another state and says so. The event comes first: who sees a job that is over has its last
    /// event.
    fn enter(&self, id: i64, state: JobState, error: Option<String>) -> Result<(), JobsError> {
        let event = JobEventKind::State { state, error: error.clone() };
        self.store().append_event(id, &event)?;
        self.store().set_job_state(id, state, error.as_deref())?;
        self.wake_followers();
        Ok(())
    }

    /// Adds an event to the store, then wakes whoever waits for one.
    fn tell(&self, id: i64, kind: &JobEventKind) -> Result<(), JobsError> {
        self.store().append_event(id, kind)?;
        self.wake_followers();
        Ok(())
    }

    fn wake_followers(&self) {
        self.inner.happened.send_modify(|count| *count += 1);
    }

    fn speed(&self) -> Option<f64> {
        *self.inner.speed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember_speed(&self, tokens_per_second: f64) {
        *self.inner.speed.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens_per_second);
    }

    fn rates(&self) -> Option<Rates> {
        self.inner.rates.get().copied()
    }

    /// Measures the device for a moment, in a turn of its own. Without it there is no estimate of time, and no harm.
    fn measure_rates(&self) {
        const REPEATS: usize = 3;
        let engine = &self.inner.engine;
        let _turn = engine.turns().take();
        match bench::rates(engine.device(), engine.model().dtype(), REPEATS) {
            Ok(rates) => drop(self.inner.rates.set(rates)),
            Err(error) => tracing::warn!("the device's speed cannot be measured: {error}"),
        }
    }

    /// The bytes of an adapter's files, in the order of [`ADAPTER_FILES`].
    pub fn adapter_files(&self, id: i64) -> Result<[Vec<u8>; 2], JobsError> {
        let read = |name| {
            let path = self.inner.dir.adapter(id).join(name);
            fs::read(&path).map_err(|source| JobsError::Folder { path, source })
        };
        let [config, weights] = ADAPTER_FILES;
        Ok([read(config)?, read(weights)?])
    }

    /// Deletes an adapter with its files and its evaluations, of which a running one ends within a few tokens.
    pub fn delete_adapter(&self, name: &str) -> Result<(), JobsError> {
        let id = self.store().delete_adapter(name)?.id;
        self.stop_evaluation_that_is_over();
        self.inner.engine.forget(id);
        remove(self.inner.dir.adapter(id))
    }

    /// A server that was killed while it registered an adapter has left a name without files.
    fn remove_adapters_without_files(&self) -> Result<(), JobsError> {
        for adapter in self.store().adapters()? {
            if !self.inner.dir.adapter(adapter.id).exists() {
                self.store().delete_adapter(&adapter.facts.name)?;
            }
        }
        Ok(())
    }
}

fn remove(dir: PathBuf) -> Result<(), JobsError> {
    match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(JobsError::Folder { path: dir, source: error })
        }
        _ => Ok(()),
    }
}
