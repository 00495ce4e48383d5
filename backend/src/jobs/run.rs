//! One job, from its manifest to its adapter.

use std::{fs, path::Path, time::Duration};

use weft_shared::{
    api::job::{Job, JobEventKind, JobState},
    manifest::Manifest,
};

use super::{Jobs, JobsError, answers::Answers, watcher::Watcher};
use crate::{
    atomic::{self, WriteError},
    manifest,
    parallel::Alone,
    store::AdapterFacts,
    training::{Checkpoint, Recipe, Run, Trainee},
};

/// An adapter in PEFT's form.
pub const ADAPTER_FILES: [&str; 2] = ["adapter_config.json", "adapter_model.safetensors"];

/// In the folder of a job: the adapter whose weights it starts from, where it does not start from fresh ones.
pub(super) const START: &str = "start";

/// What a kill takes with it at most, beside a step.
const SAVE_EVERY: Duration = Duration::from_secs(30);

impl Jobs {
    /// Runs a job to its end. `false` when it was told to stop, which leaves a checkpoint.
    pub(super) fn run(&self, job: &Job) -> Result<bool, JobsError> {
        let engine = &self.inner.engine;
        self.tell(job.id, &JobEventKind::State { state: JobState::Running, error: None })?;
        let manifest = self.manifest(job.id)?;
        let set = manifest::training_set(&manifest, engine.fingerprint(), engine.tokenizer())?;
        let output = self.inner.dir.job(job.id);
        // A step can use what chats remember better.
        engine.memory().let_go();
        let start = manifest.start_from.is_some().then(|| output.join(START));
        let (config, device) = (engine.model().config(), engine.device());
        let adapter = manifest::first_adapter(&manifest, start.as_deref(), config, device)?;
        let trainee = Trainee::lora(engine.model().clone(), adapter, engine.source().into())?;

        let identity = manifest::identity(&manifest);
        let run = Run {
            recipe: Recipe {
                options: &manifest.options,
                samples: &set.train.samples,
                rehearsal: &set.rehearsal,
                processes: &Alone,
            },
            held_out: &set.held_out.samples,
            identity: &identity,
            output: &output,
            resume: output.exists() && !Checkpoint::list(&output)?.is_empty(),
            save_every: Some(SAVE_EVERY),
        };
        let answers = Answers::new(engine, self.store().pinned(job.id)?, &manifest, &set);
        let save_steps = manifest.options.save_steps;
        let mut watcher = Watcher::new(self, job.id, &trainee, answers, save_steps);
        let summary = run.execute(&trainee, &mut |event| watcher.see(&event));
        if let Some(trouble) = watcher.into_trouble() {
            return Err(trouble);
        }
        if !summary?.finished {
            return Ok(false);
        }
        self.register(job, &manifest, &output)?;
        Ok(true)
    }

    /// Copies the finished adapter out of the job's folder and gives it the job's name.
    fn register(&self, job: &Job, manifest: &Manifest, output: &Path) -> Result<(), JobsError> {
        let known = self.store().adapters()?.into_iter().find(|it| it.facts.job == Some(job.id));
        let adapter = match known {
            Some(adapter) => adapter,
            None => self.store().add_adapter(&AdapterFacts {
                name: job.name.clone(),
                job: Some(job.id),
                dataset_name: Some(manifest.dataset.name.clone()),
                dataset_version: Some(manifest.dataset.version),
                r: manifest.options.lora.r,
                alpha: manifest.options.lora.alpha,
                target_modules: manifest.options.lora.target_modules.clone(),
                model_fingerprint: manifest.model.fingerprint.clone(),
                size_bytes: size(output)?,
            })?,
        };
        if let Err(error) = copy_adapter(output, &self.inner.dir.adapter(adapter.id)) {
            // A name without files would be worse than none.
            self.store().delete_adapter(&adapter.facts.name)?;
            return Err(error.into());
        }
        self.inner.engine.forget(adapter.id);
        Ok(self.store().set_job_adapter(job.id, &adapter.facts.name)?)
    }
}

/// Copies an adapter in PEFT's form, whole or not at all.
pub(super) fn copy_adapter(from: &Path, to: &Path) -> Result<(), WriteError> {
    atomic::write_dir(to, |dir| {
        for name in ADAPTER_FILES {
            let copy = dir.join(name);
            fs::copy(from.join(name), &copy).map_err(WriteError::at(&copy))?;
        }
        Ok(())
    })
}

fn size(dir: &Path) -> Result<u64, JobsError> {
    let file = |name| fs::metadata(dir.join(name)).map(|file| file.len());
    let sizes = ADAPTER_FILES.into_iter().map(file);
    sizes
        .sum::<std::io::Result<u64>>()
        .map_err(|source| JobsError::Folder { path: dir.to_owned(), source })
}
