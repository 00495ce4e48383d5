//! What the workers wait for, and what they are told while they run a job.

use std::{
    collections::HashSet,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Held while a job changes between queued, running and over, so that a cancellation is never lost in between.
#[derive(Debug, Default)]
pub(super) struct Queue {
    orders: Mutex<Orders>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Orders {
    cancelled: HashSet<i64>,
    /// The running evaluation, unless it is to stop.
    evaluation: Option<i64>,
    is_ending: bool,
}

/// The queue, while nobody else changes it.
pub(super) struct Locked<'a> {
    queue: &'a Queue,
    orders: MutexGuard<'a, Orders>,
}

impl Queue {
    pub(super) fn lock(&self) -> Locked<'_> {
        let orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { queue: self, orders }
    }

    /// Whether the running job is to stop at its next step.
    pub(super) fn stops(&self, job: i64) -> bool {
        let queue = self.lock();
        queue.orders.is_ending || queue.orders.cancelled.contains(&job)
    }

    /// Whether an evaluation is to stop at its next token.
    pub(super) fn stops_evaluation(&self, id: i64) -> bool {
        let queue = self.lock();
        queue.orders.is_ending || queue.orders.evaluation != Some(id)
    }
}

impl Locked<'_> {
    /// Tells the worker to stop a running job.
    pub(super) fn cancel(mut self, job: i64) {
        self.orders.cancelled.insert(job);
    }

    /// Whether a stopped job was cancelled; forgets it.
    pub(super) fn was_cancelled(&mut self, job: i64) -> bool {
        self.orders.cancelled.remove(&job)
    }

    /// This evaluation is running from now on, or none.
    pub(super) fn set_evaluation(&mut self, id: Option<i64>) {
        self.orders.evaluation = id;
    }

    /// Tells the worker to stop the running evaluation unless that `goes_on`.
    pub(super) fn stop_evaluation_unless(&mut self, goes_on: impl FnOnce(i64) -> bool) {
        self.orders.evaluation = self.orders.evaluation.take().filter(|&id| goes_on(id));
    }

    /// There is a job or an evaluation in the queue.
    pub(super) fn wake(self) {
        self.queue.changed.notify_all();
    }

    /// The server ends.
    pub(super) fn end(mut self) {
        self.orders.is_ending = true;
        self.queue.changed.notify_all();
    }

    pub(super) fn is_ending(&self) -> bool {
        self.orders.is_ending
    }

    /// Lets others change the queue for a while.
    pub(super) fn wait_for(self, duration: Duration) -> Self {
        let Self { queue, orders } = self;
        let waited = queue.changed.wait_timeout(orders, duration);
        Self { queue, orders: waited.unwrap_or_else(PoisonError::into_inner).0 }
    }

    /// Waits until somebody wakes the workers.
    pub(super) fn wait(self) {
        drop(self.queue.changed.wait(self.orders).unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_stops_when_it_is_over_or_the_server_ends() {
        let queue = Queue::default();
        queue.lock().set_evaluation(Some(7));

        queue.lock().stop_evaluation_unless(|id| id == 7);
        assert!(!queue.stops_evaluation(7));

        queue.lock().stop_evaluation_unless(|_| false);
        assert!(queue.stops_evaluation(7));

        queue.lock().set_evaluation(Some(7));
        assert!(!queue.stops_evaluation(7), "it is resumed");

        queue.lock().end();
        assert!(queue.stops_evaluation(7));
    }
}
