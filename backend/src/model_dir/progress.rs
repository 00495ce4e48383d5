//! How far a model's weights are, told to whoever waits.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::checkpoint::LoadProgress;

/// Between two lines of a log.
const PAUSE: Duration = Duration::from_secs(5);
/// What takes less is not worth a line.
const NOTICEABLE: Duration = Duration::from_secs(1);

/// A line of the log every few seconds, and one at the end of what took longer than one.
pub fn to_log() -> impl Fn(LoadProgress) + Sync {
    let start = Instant::now();
    let last = Mutex::new(start);
    move |progress| {
        let LoadProgress { done_bytes, total_bytes } = progress;
        let gigabytes = total_bytes as f64 / 1e9;
        if done_bytes >= total_bytes {
            let seconds = start.elapsed();
            if seconds >= NOTICEABLE {
                let (seconds, rate) = (seconds.as_secs_f64(), gigabytes / seconds.as_secs_f64());
                tracing::info!(
                    "read {gigabytes:.1} GB of weights in {seconds:.1} s, {rate:.2} GB/s"
                );
            }
            return;
        }
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PAUSE {
            *last = Instant::now();
            tracing::info!("reading weights: {} % of {gigabytes:.1} GB", progress.percent());
        }
    }
}

/// A line that moves on a terminal; elsewhere the log.
pub fn to_stderr() -> Box<dyn Fn(LoadProgress) + Sync> {
    if !io::stderr().is_terminal() {
        return Box::new(to_log());
    }
    let start = Instant::now();
    let shown = Mutex::new(None);
    Box::new(move |progress| {
        let percent = progress.percent();
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let is_done = progress.done_bytes >= progress.total_bytes;
        let is_due = shown.is_some() || start.elapsed() >= NOTICEABLE;
        // Threads may come in another order than their numbers.
        if !is_due || shown.is_some_and(|shown| shown >= percent && !is_done) {
            return;
        }
        *shown = Some(percent);
        let gigabytes = progress.total_bytes as f64 / 1e9;
        let end = if is_done { "\n" } else { "" };
        // Nobody is helped by a failed load because its progress could not be shown.
        let _ = write!(io::stderr(), "\rreading weights: {percent:3} % of {gigabytes:.1} GB{end}");
    })
}
