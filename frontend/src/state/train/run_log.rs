//! A run's events, put together into what is known of it now.
//!
//! A run that was interrupted goes on from its last checkpoint and computes the steps behind it again: what was told
//! of them before is void.

use std::collections::VecDeque;

use weft_shared::api::job::{JobEvent, JobEventKind, JobState, SampleAnswer};

/// The log keeps this many of its last lines.
const LOG_LINES: usize = 200;

/// One optimizer step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepPoint {
    pub step: usize,
    pub loss: f64,
    pub grad_norm: f64,
    pub learning_rate: f64,
}

/// How fast a run is, as of its last step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    pub tokens_per_second: f64,
    pub memory_bytes: u64,
    pub seconds_left: f64,
}

/// What its events tell of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunLog {
    last_seq: u64,
    state: Option<JobState>,
    error: Option<String>,
    step: usize,
    total_steps: usize,
    points: Vec<StepPoint>,
    evaluations: Vec<(usize, f64)>,
    saved: Vec<usize>,
    answers: Vec<(usize, Vec<SampleAnswer>)>,
    pace: Option<Pace>,
    lines: VecDeque<JobEvent>,
}

impl RunLog {
    /// Takes an event in. One that was seen already, as after a reconnection, changes nothing.
    pub fn receive(&mut self, event: JobEvent) {
        if event.seq <= self.last_seq {
            return;
        }
        self.last_seq = event.seq;
        if self.lines.len() == LOG_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(event.clone());
        match event.kind {
            JobEventKind::State { state, error } => {
                self.state = Some(state);
                self.error = error;
            }
            JobEventKind::Started { first_step, total_steps } => {
                self.void_behind(first_step);
                self.total_steps = total_steps;
            }
            JobEventKind::Step {
                step,
                loss,
                grad_norm,
                learning_rate,
                tokens_per_second,
                memory_bytes,
                seconds_left,
            } => {
                self.step = step;
                self.points.push(StepPoint { step, loss, grad_norm, learning_rate });
                self.pace = Some(Pace { tokens_per_second, memory_bytes, seconds_left });
            }
            JobEventKind::Evaluation { step, loss } => self.evaluations.push((step, loss)),
            JobEventKind::Saved { step } => self.saved.push(step),
            JobEventKind::Answers { step, answers } => self.answers.push((step, answers)),
        }
    }

    fn void_behind(&mut self, step: usize) {
        self.step = step;
        self.pace = None;
        self.points.retain(|point| point.step <= step);
        self.evaluations.retain(|&(at, _)| at <= step);
        self.saved.retain(|&at| at <= step);
        self.answers.retain(|&(at, _)| at <= step);
    }

    /// `None` until an event told it.
    pub fn state(&self) -> Option<JobState> {
        self.state
    }

    /// Why it failed.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Steps done.
    pub fn step(&self) -> usize {
        self.step
    }

    /// 0 until it is known.
    pub fn total_steps(&self) -> usize {
        self.total_steps
    }

    pub fn points(&self) -> &[StepPoint] {
        &self.points
    }

    /// Step and loss on the held-out part.
    pub fn evaluations(&self) -> &[(usize, f64)] {
        &self.evaluations
    }

    /// Steps of complete checkpoints.
    pub fn saved(&self) -> &[usize] {
        &self.saved
    }

    pub fn answers(&self) -> &[(usize, Vec<SampleAnswer>)] {
        &self.answers
    }

    pub fn pace(&self) -> Option<Pace> {
        self.pace
    }

    pub fn latest_loss(&self) -> Option<f64> {
        self.points.last().map(|point| point.loss)
    }

    /// The last events, oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &JobEvent> {
        self.lines.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_make_a_curve() {
        let log = log([started(0), step(1, 3.0), step(2, 2.0), evaluation(2, 2.5)]);

        assert_eq!(losses(&log), [(1, 3.0), (2, 2.0)]);
        assert_eq!(log.evaluations(), [(2, 2.5)]);
        assert_eq!((log.step(), log.total_steps(), log.latest_loss()), (2, 10, Some(2.0)));
    }

    #[test]
    fn an_event_that_comes_twice_counts_once() {
        let mut log = log([started(0), step(1, 3.0)]);

        log.receive(event(2, step(1, 3.0)));

        assert_eq!(losses(&log), [(1, 3.0)]);
        assert_eq!(log.lines().count(), 2);
    }

    #[test]
    fn what_is_computed_again_takes_the_place_of_what_was() {
        let log = log([
            started(0),
            step(1, 3.0),
            evaluation(1, 3.5),
            JobEventKind::Saved { step: 1 },
            step(2, 2.0),
            evaluation(2, 2.5),
            JobEventKind::Answers { step: 2, answers: Vec::new() },
            started(1),
            step(2, 2.0),
        ]);

        assert_eq!(losses(&log), [(1, 3.0), (2, 2.0)]);
        assert_eq!((log.evaluations(), log.saved()), (&[(1, 3.5)][..], &[1][..]));
        assert!(log.answers().is_empty());
    }

    #[test]
    fn a_failure_says_why_until_the_run_goes_on() {
        let mut log = log([JobEventKind::State {
            state: JobState::Failed,
            error: Some("the disk is full".into()),
        }]);
        assert_eq!((log.state(), log.error()), (Some(JobState::Failed), Some("the disk is full")));

        log.receive(event(2, JobEventKind::State { state: JobState::Queued, error: None }));

        assert_eq!((log.state(), log.error()), (Some(JobState::Queued), None));
    }

    #[test]
    fn of_a_long_run_the_log_keeps_the_last_lines_and_the_curve_all_points() {
        let log = log((1..=1000).map(|n| step(n, 1.0)));

        assert_eq!(log.lines().count(), LOG_LINES);
        assert_eq!(log.lines().next_back().unwrap().seq, 1000);
        assert_eq!(log.points().len(), 1000);
    }

    fn log(kinds: impl IntoIterator<Item = JobEventKind>) -> RunLog {
        let mut log = RunLog::default();
        for (index, kind) in kinds.into_iter().enumerate() {
            log.receive(event(index as u64 + 1, kind));
        }
        log
    }

    fn event(seq: u64, kind: JobEventKind) -> JobEvent {
        JobEvent { seq, at_ms: 0, kind }
    }

    fn started(first_step: usize) -> JobEventKind {
        JobEventKind::Started { first_step, total_steps: 10 }
    }

    fn step(step: usize, loss: f64) -> JobEventKind {
        JobEventKind::Step {
            step,
            loss,
            grad_norm: 1.0,
            learning_rate: 1e-4,
            tokens_per_second: 10.0,
            memory_bytes: 1,
            seconds_left: 1.0,
        }
    }

    fn evaluation(step: usize, loss: f64) -> JobEventKind {
        JobEventKind::Evaluation { step, loss }
    }

    fn losses(log: &RunLog) -> Vec<(usize, f64)> {
        log.points().iter().map(|point| (point.step, point.loss)).collect()
    }
}
