//! A whole training run in a folder: checkpoints, log, evaluation, and the finished weights.
//!
//! Of several processes the first writes; the others keep the same state, and read the folder to go on from there.

use std::{
    fs, io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use weft_shared::sample::Sample;

use super::{
    AdamW, Checkpoint, CheckpointError, LogEntry, Observer, Recipe, RunIdentity, Step, Trainee,
    TrainerState, TrainingError, checkpoint::write_json, evaluate, total_steps, train,
};
use crate::atomic;

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// Starts, or goes on after the step of a checkpoint.
    Started { first_step: usize, total_steps: usize },
    /// A step is done. A GPU may be at the next one already.
    Step { step: Step, total_steps: usize, tokens_per_second: f64 },
    /// A batch of an evaluation is done.
    Evaluating,
    /// A line was added to the log.
    Logged(&'a LogEntry),
    /// A checkpoint is complete.
    Saved(&'a Checkpoint),
}

/// Why a run ended early. The newest checkpoint is complete in every case.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Training(#[from] TrainingError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("cannot use the output folder {path}")]
    Output {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunSummary {
    pub state: TrainerState,
    /// Whether the last step was reached; otherwise the watcher stopped the run.
    pub finished: bool,
}

/// A run that is about to start.
pub struct Run<'a> {
    pub recipe: Recipe<'a>,
    /// Evaluated, never trained on.
    pub held_out: &'a [Sample],
    pub identity: &'a RunIdentity,
    /// Gets `checkpoint-STEP/`, `trainer_state.json` and the finished weights.
    pub output: &'a Path,
    /// Go on from the newest checkpoint there.
    pub resume: bool,
    /// A checkpoint also after so long without one, so that a kill takes no more with it. The next one takes its
    /// place.
    pub save_every: Option<Duration>,
}

impl Run<'_> {
    /// Trains until the last step, or until `watch` says stop, which leaves a checkpoint.
    pub fn execute(
        &self,
        trainee: &Trainee,
        watch: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<RunSummary, RunError> {
        let options = self.recipe.options;
        let mut optimizer =
            AdamW::new(trainee, options.weight_decay).map_err(TrainingError::from)?;
        let state = self.open(trainee, &mut optimizer)?;
        let first_step = state.global_step;
        let total_steps = total_steps(options, self.recipe.samples.len());
        let started = watch(Event::Started { first_step, total_steps });
        let [stops] = self.together([started.is_break()])?;
        let mut recorder = Recorder::new(self, trainee, state, total_steps, watch);

        if !stops {
            train(trainee, &mut optimizer, &self.recipe, first_step, &mut recorder)?;
        }
        recorder.finish()
    }

    /// Makes the folder ready and finds where to start: at nothing, or after the newest checkpoint.
    fn open(&self, trainee: &Trainee, optimizer: &mut AdamW) -> Result<TrainerState, RunError> {
        let unusable = |source| RunError::Output { path: self.output.to_owned(), source };
        fs::create_dir_all(self.output).map_err(unusable)?;
        let processes = self.recipe.processes;
        if processes.leads() {
            atomic::remove_unfinished(self.output).map_err(unusable)?;
        }
        let newest = Checkpoint::list(self.output)?.pop();
        let found = newest.as_ref().map_or_else(|| "none".to_owned(), |it| it.step.to_string());
        processes.agree("newest checkpoint", &found).map_err(TrainingError::from)?;
        match newest {
            Some(checkpoint) if self.resume => {
                Ok(checkpoint.restore(trainee, optimizer, self.identity)?)
            }
            Some(_) => Err(CheckpointError::Occupied(self.output.to_owned()).into()),
            None if self.resume => Err(CheckpointError::Nothing(self.output.to_owned()).into()),
            None => Ok(TrainerState::default()),
        }
    }

    /// What all processes do: what one wants, such as to stop, all do after the same step.
    fn together<const N: usize>(&self, wanted: [bool; N]) -> Result<[bool; N], TrainingError> {
        let mut votes = wanted.map(|it| f64::from(u8::from(it)));
        self.recipe.processes.sum(&mut votes)?;
        Ok(votes.map(|sum| sum > 0.0))
    }
}

/// Keeps the log, the evaluations and the checkpoints of a run that goes on.
struct Recorder<'a> {
    run: &'a Run<'a>,
    trainee: &'a Trainee,
    state: TrainerState,
    total_steps: usize,
    watch: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    started: Instant,
    /// Seconds of the run before this start.
    seconds_before: f64,
    saved_at: Instant,
    /// To stop, which leaves a checkpoint.
    stopping: bool,
    /// A checkpoint because of the time.
    is_time_to_save: bool,
    /// The newest checkpoint, if it is there only because of the time.
    spare: Option<Checkpoint>,
}

impl<'a> Recorder<'a> {
    fn new(
        run: &'a Run,
        trainee: &'a Trainee,
        mut state: TrainerState,
        total_steps: usize,
        watch: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Self {
        let options = run.recipe.options;
        state.max_steps = total_steps;
        state.logging_steps = options.logging_steps;
        state.save_steps = options.save_steps;
        state.eval_steps = options.eval_steps;
        state.train_batch_size = options.batch_size;
        (state.is_local_process_zero, state.is_world_process_zero) = (true, true);
        let (seconds_before, now) = (state.weft.seconds, Instant::now());
        Self {
            run,
            trainee,
            state,
            total_steps,
            watch,
            started: now,
            seconds_before,
            saved_at: now,
            stopping: false,
            is_time_to_save: false,
            spare: None,
        }
    }

    /// Counts a step that is done, and tells of it.
    fn note(&mut self, step: Step) -> Result<(), RunError> {
        let options = self.run.recipe.options;
        let state = &mut self.state;
        state.add_step(step.loss, step.tokens, step.samples);
        let batches = self.run.recipe.samples.len().div_ceil(options.batch_size);
        let batches_done = state.global_step * options.gradient_accumulation_steps;
        state.epoch = batches_done as f64 / batches as f64;
        state.num_train_epochs =
            (self.total_steps * options.gradient_accumulation_steps).div_ceil(batches);
        state.weft.seconds = self.seconds_before + self.started.elapsed().as_secs_f64();
        state.weft.updates = Some(step.progress.updates);
        state.weft.loss_scale = Some(step.progress.loss_scale);

        let tokens_per_second = step.tokens as f64 / step.seconds.max(f64::MIN_POSITIVE);
        let total_steps = self.total_steps;
        let flow = (self.watch)(Event::Step { step, total_steps, tokens_per_second });
        let leads = self.run.recipe.processes.leads();
        let late = |every| self.saved_at.elapsed() >= every;
        let is_late = leads && self.run.save_every.is_some_and(late);
        let [stopping, is_time_to_save] = self.run.together([flow.is_break(), is_late])?;
        self.stopping |= stopping;
        self.is_time_to_save |= is_time_to_save;

        if self.is_due(options.logging_steps, self.state.global_step) {
            self.state.log_train(step.progress.grad_norm, step.learning_rate);
            self.tell_logged();
        }
        Ok(())
    }

    /// What is due after the newest step, where the weights are as it left them.
    fn keep_up(&mut self, optimizer: &AdamW) -> Result<(), RunError> {
        let done = self.state.global_step;
        if self.is_due(self.eval_steps(), done) {
            self.evaluate()?;
        }
        // Being stopped leaves a checkpoint but no mark in the log: a resumed run logs what an unbroken one does.
        let is_due = self.is_due(self.run.recipe.options.save_steps, done) || self.stopping;
        if self.run.recipe.processes.leads() {
            self.keep(optimizer, is_due)?;
        }
        self.is_time_to_save = false;
        Ok(())
    }

    /// Whether what happens every so many steps, and at the end, happens after `done` of them.
    fn is_due(&self, every: usize, done: usize) -> bool {
        done == self.total_steps || (every > 0 && done.is_multiple_of(every))
    }

    fn eval_steps(&self) -> usize {
        let options = self.run.recipe.options;
        if options.eval_steps > 0 { options.eval_steps } else { options.save_steps }
    }

    fn evaluate(&mut self) -> Result<(), RunError> {
        let between = || {
            let _ = (self.watch)(Event::Evaluating);
        };
        if let Some(loss) = evaluate(self.trainee, self.run.held_out, &self.run.recipe, between)? {
            self.state.log_eval(loss);
            self.tell_logged();
        }
        Ok(())
    }

    /// Saves what is due by the steps, or by the time.
    fn keep(&mut self, optimizer: &AdamW, is_due: bool) -> Result<(), RunError> {
        if is_due {
            self.save(optimizer)?;
            let limit = self.run.recipe.options.save_total_limit;
            Checkpoint::keep_newest(self.run.output, limit)?;
        } else if self.is_time_to_save {
            self.spare = Some(self.save(optimizer)?);
        }
        Ok(())
    }

    fn save(&mut self, optimizer: &AdamW) -> Result<Checkpoint, RunError> {
        let Run { output, identity, .. } = self.run;
        let saved = Checkpoint::write(output, self.trainee, optimizer, &self.state, identity)?;
        if let Some(spare) = self.spare.take() {
            spare.remove()?;
        }
        self.saved_at = Instant::now();
        // Whoever watches has said already whether to go on.
        let _ = (self.watch)(Event::Saved(&saved));
        Ok(saved)
    }

    fn tell_logged(&mut self) {
        if let Some(entry) = self.state.log_history.last() {
            let _ = (self.watch)(Event::Logged(entry));
        }
    }

    fn finish(mut self) -> Result<RunSummary, RunError> {
        let finished = self.state.global_step >= self.total_steps;
        let processes = self.run.recipe.processes;
        if finished {
            self.state.log_summary();
            self.tell_logged();
        }
        if processes.leads() {
            if finished {
                self.trainee.save(self.run.output)?;
            }
            write_json(&self.run.output.join("trainer_state.json"), &self.state)?;
        }
        // No process calls a run done that the first could not write.
        processes.barrier().map_err(TrainingError::from)?;
        Ok(RunSummary { state: self.state, finished })
    }
}

impl Observer for Recorder<'_> {
    type Error = RunError;

    fn needs_state_after(&self, number: usize) -> bool {
        let done = number + 1;
        self.is_time_to_save
            || self.is_due(self.eval_steps(), done)
            || self.is_due(self.run.recipe.options.save_steps, done)
    }

    fn after_step(
        &mut self,
        step: Step,
        optimizer: Option<&AdamW>,
    ) -> Result<ControlFlow<()>, RunError> {
        self.note(step)?;
        if let Some(optimizer) = optimizer {
            self.keep_up(optimizer)?;
        }
        Ok(if self.stopping { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
