//! The threads that run queued jobs, one after the other, and beside them queued evaluations.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
    time::Duration,
};

use weft_shared::api::job::{Job, JobState};

use super::{Jobs, JobsError, queue::Locked};
use crate::store::{self, Store};

/// When the store cannot be used, because the disk is full for example, it is tried again after so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The running threads. Dropped, they stop the running job at its next step, with a checkpoint, and leave it queued;
/// likewise the running evaluation, which keeps what it has counted.
pub struct Worker {
    jobs: Jobs,
    threads: Vec<JoinHandle<()>>,
}

impl Jobs {
    /// Starts to run what is queued, and measures the device.
    pub fn work(&self) -> Worker {
        let (jobs, evaluations, measuring) = (self.clone(), self.clone(), self.clone());
        let threads = vec![
            thread::spawn(move || jobs.run_queued()),
            thread::spawn(move || evaluations.evaluate_queued()),
            thread::spawn(move || measuring.measure_rates()),
        ];
        Worker { jobs: self.clone(), threads }
    }

    fn run_queued(&self) {
        while let Some(job) = self.next() {
            let id = job.id;
            let ended = catch_unwind(AssertUnwindSafe(|| self.run(&job)))
                .unwrap_or_else(|panic| Err(JobsError::Panicked(message(&*panic))));
            let mut queue = self.inner.queue.lock();
            let was_cancelled = queue.was_cancelled(id);
            let (state, error) = match ended {
                Ok(true) => (JobState::Done, None),
                Ok(false) if was_cancelled => (JobState::Cancelled, None),
                Ok(false) => (JobState::Queued, None),
                Err(error) => (JobState::Failed, Some(error.advice())),
            };
            if let Some(error) = &error {
                tracing::error!("job {id} failed: {error}");
            }
            while let Err(trouble) = self.enter(id, state, error.clone()) {
                tracing::error!("the end of job {id} cannot be noted: {trouble}");
                if queue.is_ending() {
                    return;
                }
                queue = queue.wait_for(PATIENCE);
            }
        }
    }

    /// The oldest queued job, which is then running; `None` when the server ends.
    fn next(&self) -> Option<Job> {
        self.wait_for_next(|store, _| {
            let job = store.oldest_queued()?;
            if let Some(job) = &job {
                store.set_job_state(job.id, JobState::Running, None)?;
            }
            Ok(job)
        })
    }

    /// What `begin` finds in the store, as soon as there is something; `None` when the server ends. Nobody else changes the
    /// queue in between.
    pub(super) fn wait_for_next<T>(
        &self,
        begin: impl Fn(&Store, &mut Locked) -> store::Result<Option<T>>,
    ) -> Option<T> {
        loop {
            let mut queue = self.inner.queue.lock();
            if queue.is_ending() {
                return None;
            }
            match begin(self.store(), &mut queue) {
                Ok(Some(found)) => return Some(found),
                Ok(None) => queue.wait(),
                Err(error) => {
                    tracing::error!("the queue cannot be read: {error}");
                    drop(queue.wait_for(PATIENCE));
                }
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs.end();
        for thread in self.threads.drain(..) {
            // A panic outside of a job has been printed by then.
            let _ = thread.join();
        }
    }
}

pub(super) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
