//! Sees what a run does: tells the store of it, and lets others have the device in between.

use std::{ops::ControlFlow, time::Instant};

use weft_shared::api::job::JobEventKind;

use super::{Jobs, JobsError, answers::Answers};
use crate::{
    device::memory,
    engine::Turn,
    training::{Event, LogEntry, Trainee},
};

/// How fast the estimate of the time left follows the steps.
const SMOOTHING: f64 = 0.05;

pub(super) struct Watcher<'a> {
    jobs: &'a Jobs,
    job: i64,
    trainee: &'a Trainee,
    answers: Answers<'a>,
    save_steps: usize,
    total_steps: usize,
    /// Taken whenever the run computes.
    turn: Option<Turn<'a>>,
    last_step: Instant,
    /// Smoothed, waiting for others included.
    step_seconds: Option<f64>,
    /// Why the run is stopped, when it is not the run's own fault.
    trouble: Option<JobsError>,
}

impl<'a> Watcher<'a> {
    /// Waits for the device.
    pub(super) fn new(
        jobs: &'a Jobs,
        job: i64,
        trainee: &'a Trainee,
        answers: Answers<'a>,
        save_steps: usize,
    ) -> Self {
        Self {
            jobs,
            job,
            trainee,
            answers,
            save_steps,
            total_steps: 0,
            turn: Some(jobs.inner.engine.turns().take()),
            last_step: Instant::now(),
            step_seconds: None,
            trouble: None,
        }
    }

    /// Takes note of what happened; says stop when the job was told to stop.
    pub(super) fn see(&mut self, event: &Event) -> ControlFlow<()> {
        if self.trouble.is_none() {
            self.trouble = self.note(event).err();
        }
        if self.trouble.is_some() || self.stops() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Gives the device back, and tells why the run was stopped.
    pub(super) fn into_trouble(self) -> Option<JobsError> {
        self.trouble
    }

    fn note(&mut self, event: &Event) -> Result<(), JobsError> {
        match *event {
            Event::Started { first_step, total_steps } => {
                self.total_steps = total_steps;
                self.jobs.store().set_job_progress(self.job, first_step, total_steps)?;
                self.tell(&JobEventKind::Started { first_step, total_steps })?;
                if first_step == 0 {
                    self.answer(0)?;
                } else {
                    self.tell_of_checkpoint(first_step)?;
                }
                self.last_step = Instant::now();
            }
            Event::Step { step, tokens_per_second, .. } => {
                let done = step.number + 1;
                let seconds = self.last_step.elapsed().as_secs_f64();
                self.last_step = Instant::now();
                let smoothed =
                    self.step_seconds.map_or(seconds, |it| it + SMOOTHING * (seconds - it));
                self.step_seconds = Some(smoothed);
                self.jobs.remember_speed(tokens_per_second);
                self.jobs.store().set_job_progress(self.job, done, self.total_steps)?;
                self.tell(&JobEventKind::Step {
                    step: done,
                    loss: step.loss,
                    grad_norm: step.progress.grad_norm,
                    learning_rate: step.learning_rate,
                    tokens_per_second,
                    memory_bytes: memory::used(self.jobs.inner.engine.device()),
                    seconds_left: smoothed * (self.total_steps - done) as f64,
                })?;
                self.let_others_in();
            }
            Event::Evaluating => self.let_others_in(),
            Event::Logged(&LogEntry::Eval { step, eval_loss, .. }) => {
                self.tell(&JobEventKind::Evaluation { step, loss: eval_loss })?;
            }
            Event::Logged(_) => {}
            Event::Saved(checkpoint) => {
                self.tell(&JobEventKind::Saved { step: checkpoint.step })?;
                if self.is_answered(checkpoint.step) {
                    self.answer(checkpoint.step)?;
                }
            }
        }
        Ok(())
    }

    /// Tells of a checkpoint that the run goes on from what a kill may have cut off.
    fn tell_of_checkpoint(&mut self, step: usize) -> Result<(), JobsError> {
        let (mut is_told, mut is_answered) = (false, !self.is_answered(step));
        let mut seen = 0;
        loop {
            let events = self.jobs.events_after(self.job, seen)?;
            let Some(last) = events.last() else { break };
            seen = last.seq;
            for event in events {
                match event.kind {
                    JobEventKind::Saved { step: saved } => is_told |= saved == step,
                    JobEventKind::Answers { step: answered, .. } => is_answered |= answered == step,
                    _ => {}
                }
            }
        }
        if !is_told {
            self.tell(&JobEventKind::Saved { step })?;
        }
        if !is_answered {
            self.answer(step)?;
        }
        Ok(())
    }

    /// Whether the options ask for the checkpoint of this step: there are others, of a stop or because of the time.
    fn is_answered(&self, step: usize) -> bool {
        step == self.total_steps || step.is_multiple_of(self.save_steps)
    }

    /// Answers the sample questions with what has been learned so far.
    fn answer(&mut self, step: usize) -> Result<(), JobsError> {
        let adapter = self.trainee.adapter.as_ref();
        // The answers take turns of their own, as chats do.
        self.turn = None;
        let (queue, job) = (&self.jobs.inner.queue, self.job);
        let answers = self.answers.now(adapter, &|| queue.stops(job))?;
        self.turn = Some(self.jobs.inner.engine.turns().take());
        match answers {
            Some(answers) if !answers.is_empty() => {
                self.tell(&JobEventKind::Answers { step, answers })
            }
            _ => Ok(()),
        }
    }

    fn let_others_in(&mut self) {
        self.turn = None;
        self.turn = Some(self.jobs.inner.engine.turns().take());
    }

    fn stops(&self) -> bool {
        self.jobs.inner.queue.stops(self.job)
    }

    fn tell(&self, kind: &JobEventKind) -> Result<(), JobsError> {
        self.jobs.tell(self.job, kind)
    }
}
