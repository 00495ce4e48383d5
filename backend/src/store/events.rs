//! What happened to jobs, in order: a page that reconnects reads on where it stopped.

use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use weft_shared::api::job::{JobEvent, JobEventKind};

use super::{Result, Store, StoreError, jobs::job, json::Json, now_ms};

impl Store {
    /// Puts an event behind the job's last; they count up from 1 without a gap.
    pub fn append_event(&self, id: i64, kind: &JobEventKind) -> Result<JobEvent> {
        if !is_finite(kind) {
            return Err(StoreError::NotFinite);
        }
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        job(&transaction, id)?;
        let last: Option<u64> = transaction
            .prepare_cached("SELECT seq FROM job_event WHERE job = ? ORDER BY seq DESC LIMIT 1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let event = JobEvent { seq: last.unwrap_or(0) + 1, at_ms: now_ms(), kind: kind.clone() };
        transaction
            .prepare_cached("INSERT INTO job_event (job, seq, at_ms, kind) VALUES (?, ?, ?, ?)")?
            .execute(params![id, event.seq, event.at_ms, Json(kind)])?;
        transaction.commit()?;
        Ok(event)
    }

    /// Up to `limit` events behind the one with number `seq`; 0 is before the first.
    pub fn events_after(&self, id: i64, seq: u64, limit: usize) -> Result<Vec<JobEvent>> {
        let connection = self.lock();
        job(&connection, id)?;
        let mut select = connection.prepare_cached(
            "SELECT seq, at_ms, kind FROM job_event WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?",
        )?;
        let events = select.query_map(params![id, seq, limit], |row| {
            Ok(JobEvent { seq: row.get(0)?, at_ms: row.get(1)?, kind: row.get::<_, Json<_>>(2)?.0 })
        })?;
        Ok(events.collect::<rusqlite::Result<_>>()?)
    }
}

/// JSON has no other numbers: what is not finite could not be read back.
fn is_finite(kind: &JobEventKind) -> bool {
    match kind {
        JobEventKind::Step {
            loss,
            grad_norm,
            learning_rate,
            tokens_per_second,
            seconds_left,
            ..
        } => [loss, grad_norm, learning_rate, tokens_per_second, seconds_left]
            .into_iter()
            .all(|number| number.is_finite()),
        JobEventKind::Evaluation { loss, .. } => loss.is_finite(),
        JobEventKind::State { .. }
        | JobEventKind::Started { .. }
        | JobEventKind::Saved { .. }
        | JobEventKind::Answers { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::api::job::{JobState, SampleAnswer};

    use super::*;
    use crate::store::jobs::tests::new_job;

    fn step(step: usize, loss: f64) -> JobEventKind {
        JobEventKind::Step {
            step,
            loss,
            grad_norm: 0.1,
            learning_rate: 1e-4,
            tokens_per_second: 123.4,
            memory_bytes: 1 << 30,
            seconds_left: 7.5,
        }
    }

    #[test]
    fn events_count_up_without_a_gap_in_each_job() {
        let store = Store::in_memory().unwrap();
        let jobs = ["a", "b"].map(|name| store.add_job(&new_job(name)).unwrap().id);

        for n in 1..=5 {
            for job in jobs {
                let event = store.append_event(job, &step(n, 0.1 + n as f64)).unwrap();
                assert_eq!(event.seq, n as u64);
            }
        }

        let seqs = |after, limit| {
            let events = store.events_after(jobs[0], after, limit).unwrap();
            events.iter().map(|event| event.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(0, 100), [1, 2, 3, 4, 5]);
        assert_eq!(seqs(3, 100), [4, 5]);
        assert_eq!(seqs(0, 2), [1, 2]);
        assert_eq!(seqs(5, 100), [0; 0]);
    }

    #[test]
    fn every_kind_of_event_comes_back_as_it_was() {
        let store = Store::in_memory().unwrap();
        let job = store.add_job(&new_job("mine")).unwrap().id;
        let answer = SampleAnswer {
            question: "q".into(),
            answer: "a".into(),
            base: "b".into(),
            wanted: None,
        };
        let kinds = [
            JobEventKind::State { state: JobState::Failed, error: Some("why".into()) },
            JobEventKind::Started { first_step: 3, total_steps: 9 },
            step(4, 0.1 + 0.2),
            JobEventKind::Evaluation { step: 4, loss: 1.0 / 3.0 },
            JobEventKind::Saved { step: 4 },
            JobEventKind::Answers { step: 4, answers: vec![answer] },
        ];

        let appended = kinds.map(|kind| store.append_event(job, &kind).unwrap());

        assert_eq!(store.events_after(job, 0, 100).unwrap(), appended);
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_refused() {
        let store = Store::in_memory().unwrap();
        let job = store.add_job(&new_job("mine")).unwrap().id;

        let refused = store.append_event(job, &step(1, f64::NAN));

        assert!(matches!(refused, Err(StoreError::NotFinite)));
        assert!(store.events_after(job, 0, 100).unwrap().is_empty());
    }

    #[test]
    fn events_go_with_their_job() {
        let store = Store::in_memory().unwrap();
        let job = store.add_job(&new_job("mine")).unwrap().id;
        store.append_event(job, &JobEventKind::Saved { step: 1 }).unwrap();
        store.set_job_state(job, JobState::Done, None).unwrap();

        store.delete_job(job).unwrap();

        assert!(matches!(store.events_after(job, 0, 1), Err(StoreError::NoJob(_))));
        let missing = store.append_event(job, &JobEventKind::Saved { step: 1 });
        assert!(matches!(missing, Err(StoreError::NoJob(_))));
        let count = "SELECT COUNT(*) FROM job_event";
        let left: usize = store.lock().query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0);
    }
}
