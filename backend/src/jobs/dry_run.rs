//! One real step before the run: what it takes, measured.

use std::ops::ControlFlow;

use weft_shared::{
    api::job::{DryRun, NewJob, Severity},
    sample::Sample,
    training::TrainingOptions,
};

use super::{Jobs, JobsError};
use crate::{
    device::memory,
    engine::{Engine, Turn},
    lora::{Adapter, Target},
    parallel::Alone,
    training::{AdamW, Observer, Recipe, Step, Trainee, TrainingError, train},
};

/// Of the free memory, so much is taken for a larger batch at most: others need some too.
const PERCENT_OF_MEMORY: u64 = 85;

/// What one step took.
struct Measured {
    peak: u64,
    step: Step,
}

impl Jobs {
    /// Takes a step on the longest samples, and the longest of those that a step rehearses, with a scratch adapter; keeps
    /// nothing.
    pub fn dry_run(&self, new: &NewJob) -> Result<DryRun, JobsError> {
        let checked = self.checked(new, self.store().dataset(new.dataset)?.rows)?;
        let refusals = checked.check.findings.into_iter();
        let refusals: Vec<_> = refusals.filter(|it| it.severity == Severity::Refusal).collect();
        let Some(set) = checked.set.filter(|_| refusals.is_empty()) else {
            return Err(JobsError::Refused(refusals));
        };

        let samples = longest_first(&set.train.samples);
        let batch = new.options.batch_size.min(samples.len());
        let longest = |count: usize| -> Vec<Sample> {
            samples.iter().cycle().take(count).map(|&sample| sample.clone()).collect()
        };
        let rehearsed = longest_first(&set.rehearsal).into_iter();
        let rehearsal: Vec<Sample> =
            rehearsed.take(new.options.rehearsal_batch_size).cloned().collect();

        let device = self.inner.engine.device();
        let memory_bytes = memory::used(device) + memory::available(device);
        let options = TrainingOptions { lora: checked.lora, ..new.options.clone() };
        let measured = self.measure(&options, &longest(batch), &rehearsal)?;
        let one_more = self.measure(&options, &longest(batch + 1), &rehearsal)?;
        self.remember_speed(measured.step.tokens as f64 / measured.step.seconds);

        let of_a_sample = one_more.peak.saturating_sub(measured.peak).max(1);
        let room = memory_bytes / 100 * PERCENT_OF_MEMORY;
        let more = room.saturating_sub(measured.peak) / of_a_sample;
        let fitting = batch.saturating_add(usize::try_from(more).unwrap_or(usize::MAX));
        let step_seconds = measured.step.seconds * new.options.gradient_accumulation_steps as f64;
        Ok(DryRun {
            longest_sample: checked.check.longest_sample,
            step_seconds,
            total_seconds: step_seconds * checked.check.total_steps as f64,
            total_steps: checked.check.total_steps,
            peak_memory_bytes: measured.peak,
            memory_bytes,
            fitting_batch_size: fitting.min(set.train.samples.len()),
            loss: measured.step.loss,
        })
    }

    /// Two steps with all of `samples` and `rehearsal` in one batch, of which the second is measured: the first one warms
    /// up. Each takes a turn of its own, as training does.
    fn measure(
        &self,
        options: &TrainingOptions,
        samples: &[Sample],
        rehearsal: &[Sample],
    ) -> Result<Measured, JobsError> {
        let engine = &self.inner.engine;
        let options = TrainingOptions {
            batch_size: samples.len(),
            gradient_accumulation_steps: 1,
            max_steps: 2,
            epochs: None,
            ..options.clone()
        };
        let lora = options.lora.clone();
        let targets = Target::from_names(&lora.target_modules)?;
        let (config, device) = (engine.model().config(), engine.device());
        let adapter = Adapter::initialize(lora, &targets, config, options.seed, device)?;
        let trainee = Trainee::lora(engine.model().clone(), adapter, engine.source().into())?;
        let mut optimizer = AdamW::new(&trainee, options.weight_decay)?;
        let recipe = Recipe { options: &options, samples, rehearsal, processes: &Alone };

        let mut observer = Measuring { engine, turn: None, measured: None };
        observer.take_turn();
        train(&trainee, &mut optimizer, &recipe, 0, &mut observer)
            .map_err(|error| of_the_options(error, options.learning_rate))?;
        observer.measured.ok_or(JobsError::Training(TrainingError::NoSamples))
    }
}

/// Sees the steps of a dry run, each in a turn of its own; keeps the last.
struct Measuring<'a> {
    engine: &'a Engine,
    turn: Option<Turn<'a>>,
    measured: Option<Measured>,
}

impl Measuring<'_> {
    fn take_turn(&mut self) {
        self.turn = None;
        self.turn = Some(self.engine.turns().take());
        memory::forget_peak(self.engine.device());
    }
}

impl Observer for Measuring<'_> {
    type Error = JobsError;

    /// No step is measured beside another.
    fn needs_state_after(&self, _: usize) -> bool {
        true
    }

    fn after_step(
        &mut self,
        step: Step,
        _: Option<&AdamW>,
    ) -> Result<ControlFlow<()>, Self::Error> {
        self.measured = Some(Measured { peak: memory::peak(self.engine.device()), step });
        self.take_turn();
        Ok(ControlFlow::Continue(()))
    }
}

fn longest_first(samples: &[Sample]) -> Vec<&Sample> {
    let mut samples: Vec<&Sample> = samples.iter().collect();
    samples.sort_by_key(|sample| std::cmp::Reverse(sample.len()));
    samples
}

/// Numbers that are none any more come of the options, not of the server.
fn of_the_options(error: JobsError, learning_rate: f64) -> JobsError {
    match error {
        JobsError::Training(TrainingError::NotFinite { step, loss, grad_norm }) => {
            JobsError::Diverged { step, loss, grad_norm, learning_rate }
        }
        error => error,
    }
}
