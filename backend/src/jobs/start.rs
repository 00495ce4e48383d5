//! From a person's wish to a queued job with a manifest.

use weft_shared::{
    api::job::{Job, JobState, NewJob, Severity},
    manifest::{MANIFEST_FORM, Manifest, ManifestDataset, ManifestModel},
    prompt::PromptForm,
};

use super::{
    Jobs, JobsError,
    run::{START, copy_adapter},
};
use crate::{clock::now_ms, manifest, store::NewJobRecord};

impl Jobs {
    /// Keeps a version of the dataset and queues a run on it. Refuses what the check refuses, and what it warns of
    /// unless the person wants it all the same.
    pub fn start(&self, new: &NewJob) -> Result<Job, JobsError> {
        let version = self.store().keep_version(new.dataset, "")?;
        let rows = self.store().version_rows(new.dataset, version.number)?;
        let checked = self.checked(new, rows)?;
        let stops = |severity| severity == Severity::Refusal || !new.despite_warnings;
        let findings = checked.check.findings.into_iter();
        let against: Vec<_> = findings.filter(|it| stops(it.severity)).collect();
        let Some(set) = checked.set.filter(|_| against.is_empty()) else {
            return Err(JobsError::Refused(against));
        };

        let engine = &self.inner.engine;
        let dataset = self.store().datasets()?.into_iter().find(|it| it.id == new.dataset);
        let mut manifest = Manifest {
            manifest: MANIFEST_FORM,
            weft_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_ms: now_ms(),
            model: ManifestModel {
                name: engine.source().to_owned(),
                fingerprint: engine.fingerprint().to_owned(),
            },
            dataset: ManifestDataset {
                name: dataset.map(|it| it.name).unwrap_or_default(),
                version: version.number,
                digest: set.digest.to_string(),
                pairs: checked.pairs,
            },
            rehearsal: checked.rehearsal,
            encoding: new.encoding.clone(),
            prompt_forms: vec![PromptForm::Training],
            options: new.options.clone(),
            start_from: None,
        };
        let start = new.adapter.as_ref().map(|name| self.store().adapter(name)).transpose()?;
        if let Some(adapter) = &start {
            let (dir, config) = (self.inner.dir.adapter(adapter.id), engine.model().config());
            manifest::start_from(&mut manifest, &adapter.facts.name, &dir, config)?;
        }

        let queue = self.inner.queue.lock();
        let job = self.store().add_job(&NewJobRecord {
            name: new.name.clone(),
            dataset: new.dataset,
            dataset_name: manifest.dataset.name.clone(),
            dataset_version: version.number,
            dataset_digest: manifest.dataset.digest.clone(),
            model_fingerprint: manifest.model.fingerprint.clone(),
            manifest,
            pinned: new.pinned.clone(),
        })?;
        if let Some(adapter) = start {
            // Its own copy: the adapter may be deleted before the job's turn comes.
            let copy = self.inner.dir.job(job.id).join(START);
            if let Err(error) = copy_adapter(&self.inner.dir.adapter(adapter.id), &copy) {
                self.store().set_job_state(job.id, JobState::Failed, None)?;
                self.store().delete_job(job.id)?;
                return Err(error.into());
            }
        }
        self.enter(job.id, JobState::Queued, None)?;
        queue.wake();
        self.get(job.id)
    }
}
