//! Jobs: what each is made of, and how far it is.

use rusqlite::{
    Connection, OptionalExtension as _, ToSql, TransactionBehavior, params,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};
use weft_shared::{
    api::job::{Job, JobState},
    manifest::Manifest,
};

use super::{Result, Store, StoreError, json::Json, names::check_name, now_ms};

/// A job that is to be queued.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJobRecord {
    /// Also its adapter's, so it has to be such a name.
    pub name: String,
    pub dataset: i64,
    pub dataset_name: String,
    pub dataset_version: u32,
    pub dataset_digest: String,
    pub model_fingerprint: String,
    pub manifest: Manifest,
    /// Questions that are answered at each checkpoint.
    pub pinned: Vec<String>,
}

impl Store {
    pub fn add_job(&self, new: &NewJobRecord) -> Result<Job> {
        check_name(&new.name)?;
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO job (name, state, created_ms, dataset, dataset_name, dataset_version, \
             dataset_digest, model_fingerprint, manifest, pinned) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                new.name,
                State(JobState::Queued),
                now_ms(),
                new.dataset,
                new.dataset_name,
                new.dataset_version,
                new.dataset_digest,
                new.model_fingerprint,
                Json(&new.manifest),
                Json(&new.pinned),
            ],
        )?;
        let job = job(&transaction, transaction.last_insert_rowid())?;
        transaction.commit()?;
        Ok(job)
    }

    pub fn job(&self, id: i64) -> Result<Job> {
        job(&self.lock(), id)
    }

    /// Newest first.
    pub fn jobs(&self) -> Result<Vec<Job>> {
        self.select_jobs("ORDER BY id DESC", [])
    }

    /// What the device is to do next.
    pub fn oldest_queued(&self) -> Result<Option<Job>> {
        let queued = [State(JobState::Queued)];
        let jobs = self.select_jobs("WHERE state = ? ORDER BY id LIMIT 1", queued)?;
        Ok(jobs.into_iter().next())
    }

    /// Oldest first. After a start of the server these are what a kill has interrupted.
    pub fn running(&self) -> Result<Vec<Job>> {
        self.select_jobs("WHERE state = ? ORDER BY id", [State(JobState::Running)])
    }

    pub fn manifest(&self, id: i64) -> Result<Manifest> {
        self.json_column(id, "SELECT manifest FROM job WHERE id = ?")
    }

    pub fn pinned(&self, id: i64) -> Result<Vec<String>> {
        self.json_column(id, "SELECT pinned FROM job WHERE id = ?")
    }

    /// Notes the time at the first start and at the end; a job that is queued again has neither end nor error.
    pub fn set_job_state(&self, id: i64, state: JobState, error: Option<&str>) -> Result<()> {
        let started = (state == JobState::Running).then(now_ms);
        let ended = state.is_over().then(now_ms);
        self.update_job(
            id,
            "UPDATE job SET state = ?2, error = ?3, started_ms = COALESCE(started_ms, ?4), \
             ended_ms = ?5 WHERE id = ?1",
            params![id, State(state), error, started, ended],
        )
    }

    pub fn set_job_progress(&self, id: i64, step: usize, total_steps: usize) -> Result<()> {
        self.update_job(
            id,
            "UPDATE job SET step = ?2, total_steps = ?3 WHERE id = ?1",
            params![id, step, total_steps],
        )
    }

    /// Notes the name of the adapter that the job made; it follows when the adapter is renamed or deleted.
    pub fn set_job_adapter(&self, id: i64, adapter: &str) -> Result<()> {
        self.update_job(id, "UPDATE job SET adapter = ?2 WHERE id = ?1", params![id, adapter])
    }

    /// Deletes a job that is over, with its events; its adapter stays.
    pub fn delete_job(&self, id: i64) -> Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !job(&transaction, id)?.state.is_over() {
            return Err(StoreError::JobGoesOn(id));
        }
        transaction.execute("DELETE FROM job WHERE id = ?", [id])?;
        transaction.commit()?;
        Ok(())
    }

    fn select_jobs(&self, which: &str, values: impl rusqlite::Params) -> Result<Vec<Job>> {
        let connection = self.lock();
        let mut select = connection.prepare_cached(&format!("{SELECT} {which}"))?;
        let jobs = select.query_map(values, read_job)?;
        Ok(jobs.collect::<rusqlite::Result<_>>()?)
    }

    fn json_column<T: serde::de::DeserializeOwned>(&self, id: i64, select: &str) -> Result<T> {
        let connection = self.lock();
        let value = connection
            .prepare_cached(select)?
            .query_row([id], |row| row.get::<_, Json<T>>(0))
            .optional()?;
        Ok(value.ok_or(StoreError::NoJob(id))?.0)
    }

    fn update_job(&self, id: i64, update: &str, values: impl rusqlite::Params) -> Result<()> {
        match self.lock().prepare_cached(update)?.execute(values)? {
            0 => Err(StoreError::NoJob(id)),
            _ => Ok(()),
        }
    }
}

const SELECT: &str = "SELECT id, name, state, step, total_steps, created_ms, started_ms, ended_ms, error, \
     dataset, dataset_name, dataset_version, dataset_digest, model_fingerprint, adapter FROM job";

pub(super) fn job(connection: &Connection, id: i64) -> Result<Job> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE id = ?"))?
        .query_row([id], read_job)
        .optional()?
        .ok_or(StoreError::NoJob(id))
}

fn read_job(row: &rusqlite::Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get("id")?,
        name: row.get("name")?,
        state: row.get::<_, State>("state")?.0,
        step: row.get("step")?,
        total_steps: row.get("total_steps")?,
        created_ms: row.get("created_ms")?,
        started_ms: row.get("started_ms")?,
        ended_ms: row.get("ended_ms")?,
        error: row.get("error")?,
        dataset: row.get("dataset")?,
        dataset_name: row.get("dataset_name")?,
        dataset_version: row.get("dataset_version")?,
        dataset_digest: row.get("dataset_digest")?,
        model_fingerprint: row.get("model_fingerprint")?,
        adapter: row.get("adapter")?,
    })
}

/// A state as the word that it has on the wire.
pub(super) struct State(pub(super) JobState);

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(word(self.0).into())
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let found = value.as_str()?;
        let all = [
            JobState::Queued,
            JobState::Running,
            JobState::Done,
            JobState::Failed,
            JobState::Cancelled,
        ];
        let state = all.into_iter().find(|state| word(*state) == found);
        state.map(Self).ok_or(rusqlite::types::FromSqlError::InvalidType)
    }
}

fn word(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "queued",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use weft_shared::{
        manifest::{MANIFEST_FORM, ManifestDataset, ManifestModel},
        pair::Pair,
        prompt::PromptForm,
        sample::SampleOptions,
        training::TrainingOptions,
    };

    use super::*;

    pub(in crate::store) fn new_job(name: &str) -> NewJobRecord {
        let manifest = Manifest {
            manifest: MANIFEST_FORM,
            weft_version: "0.1.0".into(),
            created_ms: 1,
            model: ManifestModel { name: "embedded".into(), fingerprint: "f00".into() },
            dataset: ManifestDataset {
                name: "pairs".into(),
                version: 2,
                digest: "d00".into(),
                pairs: vec![Pair::new("q", "a")],
            },
            rehearsal: Vec::new(),
            encoding: SampleOptions::default(),
            prompt_forms: vec![PromptForm::Training],
            options: TrainingOptions::default(),
            start_from: None,
        };
        NewJobRecord {
            name: name.into(),
            dataset: 1,
            dataset_name: "pairs".into(),
            dataset_version: 2,
            dataset_digest: "d00".into(),
            model_fingerprint: "f00".into(),
            manifest,
            pinned: vec!["你好".into()],
        }
    }

    #[test]
    fn a_job_keeps_all_that_it_is_made_of() {
        let store = Store::in_memory().unwrap();
        let new = new_job("mine");

        let job = store.add_job(&new).unwrap();

        assert_eq!((job.name.as_str(), job.state, job.step), ("mine", JobState::Queued, 0));
        assert_eq!((job.started_ms, job.ended_ms, &job.adapter), (None, None, &None));
        assert_eq!(store.job(job.id).unwrap(), job);
        assert_eq!(store.manifest(job.id).unwrap(), new.manifest);
        assert_eq!(store.pinned(job.id).unwrap(), new.pinned);
    }

    #[test]
    fn the_oldest_queued_job_is_next() {
        let store = Store::in_memory().unwrap();
        assert_eq!(store.oldest_queued().unwrap(), None);
        let ids = ["a", "b", "c"].map(|name| store.add_job(&new_job(name)).unwrap().id);

        store.set_job_state(ids[0], JobState::Running, None).unwrap();

        assert_eq!(store.oldest_queued().unwrap().unwrap().id, ids[1]);
        assert_eq!(store.running().unwrap()[0].id, ids[0]);
        let newest_first: Vec<i64> = store.jobs().unwrap().iter().map(|job| job.id).collect();
        assert_eq!(newest_first, [ids[2], ids[1], ids[0]]);
    }

    #[test]
    fn a_job_that_goes_on_has_its_first_start_and_no_end() {
        let store = Store::in_memory().unwrap();
        let id = store.add_job(&new_job("mine")).unwrap().id;
        let set = |state, error| {
            store.set_job_state(id, state, error).unwrap();
            store.job(id).unwrap()
        };

        let started = set(JobState::Running, None).started_ms;
        store.set_job_progress(id, 3, 10).unwrap();
        let failed = set(JobState::Failed, Some("no memory"));
        assert!(failed.ended_ms >= started && started.is_some());
        assert_eq!(failed.error.as_deref(), Some("no memory"));
        assert_eq!((failed.step, failed.total_steps), (3, 10));

        let queued = set(JobState::Queued, None);
        assert_eq!((queued.ended_ms, queued.error, queued.started_ms), (None, None, started));
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert_eq!(set(JobState::Running, None).started_ms, started);
    }

    #[test]
    fn only_a_job_that_is_over_is_deleted() {
        let store = Store::in_memory().unwrap();
        let id = store.add_job(&new_job("mine")).unwrap().id;
        for state in [JobState::Queued, JobState::Running] {
            store.set_job_state(id, state, None).unwrap();
            assert!(matches!(store.delete_job(id), Err(StoreError::JobGoesOn(_))));
        }

        store.set_job_state(id, JobState::Cancelled, None).unwrap();
        store.delete_job(id).unwrap();

        assert!(matches!(store.job(id), Err(StoreError::NoJob(_))));
        assert!(store.add_job(&new_job("mine")).unwrap().id > id);
    }

    #[test]
    fn what_is_missing_is_named() {
        let store = Store::in_memory().unwrap();

        assert!(matches!(store.job(7), Err(StoreError::NoJob(7))));
        assert!(matches!(store.manifest(7), Err(StoreError::NoJob(7))));
        assert!(matches!(store.delete_job(7), Err(StoreError::NoJob(7))));
        assert!(matches!(store.set_job_progress(7, 1, 2), Err(StoreError::NoJob(7))));
        assert!(matches!(store.add_job(&new_job("a:b")), Err(StoreError::BadName { .. })));
    }

    #[test]
    fn a_state_has_the_word_that_it_has_on_the_wire() {
        use JobState::{Cancelled, Done, Failed, Queued, Running};
        for state in [Queued, Running, Done, Failed, Cancelled] {
            assert_eq!(serde_json::to_value(state).unwrap(), word(state));
        }
    }
}
