//! The thread that runs queued jobs, one after the other.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
    time::Duration,
};

use weft_shared::api::job::{Job, JobState};

use super::{Jobs, JobsError};

/// When the store cannot be used, because the disk is full for example, it is tried again after so long.
const PATIENCE: Duration = Duration::from_secs(1);

/// The running thread. Dropped, it stops the running job at its next step, with a checkpoint, and leaves it queued.
pub struct Worker {
    jobs: Jobs,
    thread: Option<JoinHandle<()>>,
}

impl Jobs {
    /// Starts to run what is queued.
    pub fn work(&self) -> Worker {
        let jobs = self.clone();
        let thread = thread::spawn(move || jobs.run_queued());
        Worker { jobs: self.clone(), thread: Some(thread) }
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
        loop {
            let queue = self.inner.queue.lock();
            if queue.is_ending() {
                return None;
            }
            let job = self.store().oldest_queued().and_then(|job| {
                if let Some(job) = &job {
                    self.store().set_job_state(job.id, JobState::Running, None)?;
                }
                Ok(job)
            });
            match job {
                Ok(Some(job)) => return Some(job),
                Ok(None) => queue.wait(),
                Err(error) => {
                    tracing::error!("the queue of jobs cannot be read: {error}");
                    drop(queue.wait_for(PATIENCE));
                }
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs.end();
        if let Some(thread) = self.thread.take() {
            // A panic outside of a job has been printed by then.
            let _ = thread.join();
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
