//! Evaluations: what was asked, how far each is and what it counted.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use weft_shared::api::{
    evaluation::{EvaluatedPair, Evaluation, EvaluationResult, NewEvaluation, Outcome},
    job::JobState,
};

use super::{
    Result, Store, StoreError, adapters::by_name, datasets::summary, jobs::State, json::Json,
    now_ms,
};

impl Store {
    /// Queues an evaluation of so many questions.
    pub fn add_evaluation(&self, new: &NewEvaluation, questions: usize) -> Result<Evaluation> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let adapter = new.adapter.as_ref().map(|name| by_name(&transaction, name)).transpose()?;
        transaction.execute(
            "INSERT INTO evaluation (state, created_ms, adapter, request, dataset_name, questions, result) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                State(JobState::Queued),
                now_ms(),
                adapter.map(|it| it.id),
                Json(new),
                summary(&transaction, new.dataset)?.name,
                questions,
                Json(EvaluationResult::default()),
            ],
        )?;
        let added = evaluation(&transaction, transaction.last_insert_rowid())?;
        transaction.commit()?;
        Ok(added)
    }

    pub fn evaluation(&self, id: i64) -> Result<Evaluation> {
        evaluation(&self.lock(), id)
    }

    /// Newest first.
    pub fn evaluations(&self) -> Result<Vec<Evaluation>> {
        let connection = self.lock();
        let mut select = connection.prepare_cached(&format!("{SELECT} ORDER BY it.id DESC"))?;
        let evaluations = select.query_map([], read_evaluation)?;
        Ok(evaluations.collect::<rusqlite::Result<_>>()?)
    }

    /// The oldest one that is not over, which is then running. After a kill it is the one that was.
    pub fn begin_evaluation(&self) -> Result<Option<Evaluation>> {
        let connection = self.lock();
        let oldest = connection
            .prepare_cached("SELECT id FROM evaluation WHERE ended_ms IS NULL ORDER BY id LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(id) = oldest else { return Ok(None) };
        connection.execute(
            "UPDATE evaluation SET state = ? WHERE id = ?",
            params![State(JobState::Running), id],
        )?;
        evaluation(&connection, id).map(Some)
    }

    /// Keeps one more answer, with what is counted by then.
    ///
    /// An evaluation that was resumed before its worker saw that it had been cancelled is running after all.
    pub fn add_answer(
        &self,
        id: i64,
        answer: &EvaluatedPair,
        result: &EvaluationResult,
    ) -> Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        update(
            &transaction,
            id,
            "UPDATE evaluation SET result = ?2, state = ?3 WHERE id = ?1 AND ended_ms IS NULL",
            params![id, Json(result), State(JobState::Running)],
        )?;
        transaction
            .prepare_cached(
                "INSERT INTO evaluation_answer (evaluation, number, outcome, json) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![id, answer.number, answer.outcome.name(), Json(answer)])?;
        transaction.commit()?;
        Ok(())
    }

    /// Up to `limit` answers behind the one with number `after`; 0 is before the first.
    pub fn answers_after(
        &self,
        id: i64,
        after: usize,
        outcome: Option<Outcome>,
        limit: usize,
    ) -> Result<Vec<EvaluatedPair>> {
        let connection = self.lock();
        evaluation(&connection, id)?;
        let mut select = connection.prepare_cached(
            "SELECT json FROM evaluation_answer WHERE evaluation = ?1 AND number > ?2 \
             AND (?3 IS NULL OR outcome = ?3) ORDER BY number LIMIT ?4",
        )?;
        let answers = select
            .query_map(params![id, after, outcome.map(Outcome::name), limit], |row| {
                Ok(row.get::<_, Json<EvaluatedPair>>(0)?.0)
            })?;
        Ok(answers.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether it is neither over nor deleted.
    pub fn evaluation_goes_on(&self, id: i64) -> Result<bool> {
        let connection = self.lock();
        let mut select = connection
            .prepare_cached("SELECT 1 FROM evaluation WHERE id = ? AND ended_ms IS NULL")?;
        Ok(select.exists([id])?)
    }

    pub fn end_evaluation(&self, id: i64, state: JobState, error: Option<&str>) -> Result<()> {
        update(
            &self.lock(),
            id,
            "UPDATE evaluation SET state = ?2, error = ?3, ended_ms = ?4 \
             WHERE id = ?1 AND ended_ms IS NULL",
            params![id, State(state), error, now_ms()],
        )
    }

    /// Queues a cancelled or failed one again; what was counted stays.
    pub fn resume_evaluation(&self, id: i64) -> Result<Evaluation> {
        let connection = self.lock();
        let state = evaluation(&connection, id)?.state;
        if !matches!(state, JobState::Cancelled | JobState::Failed) {
            return Err(StoreError::EvaluationNotResumable { id, state });
        }
        connection.execute(
            "UPDATE evaluation SET state = ?2, error = NULL, ended_ms = NULL WHERE id = ?1",
            params![id, State(JobState::Queued)],
        )?;
        evaluation(&connection, id)
    }

    pub fn delete_evaluation(&self, id: i64) -> Result<()> {
        update(&self.lock(), id, "DELETE FROM evaluation WHERE id = ?", [id])
    }
}

/// Changes an evaluation; one that cannot be changed is over, or not there.
fn update(
    connection: &Connection,
    id: i64,
    statement: &str,
    values: impl rusqlite::Params,
) -> Result<()> {
    match connection.prepare_cached(statement)?.execute(values)? {
        0 => Err(evaluation(connection, id).err().unwrap_or(StoreError::EvaluationIsOver(id))),
        _ => Ok(()),
    }
}

const SELECT: &str = "SELECT it.id, state, it.created_ms, ended_ms, error, request, adapter.name, \
     it.dataset_name, questions, result FROM evaluation it LEFT JOIN adapter ON adapter.id = it.adapter";

fn evaluation(connection: &Connection, id: i64) -> Result<Evaluation> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE it.id = ?"))?
        .query_row([id], read_evaluation)
        .optional()?
        .ok_or(StoreError::NoEvaluation(id))
}

fn read_evaluation(row: &rusqlite::Row<'_>) -> rusqlite::Result<Evaluation> {
    let request = row.get::<_, Json<NewEvaluation>>("request")?.0;
    Ok(Evaluation {
        id: row.get("id")?,
        state: row.get::<_, State>("state")?.0,
        created_ms: row.get("created_ms")?,
        ended_ms: row.get("ended_ms")?,
        error: row.get("error")?,
        // It may have been renamed.
        request: NewEvaluation { adapter: row.get("name")?, ..request },
        dataset_name: row.get("dataset_name")?,
        questions: row.get("questions")?,
        result: row.get::<_, Json<_>>("result")?.0,
    })
}

#[cfg(test)]
mod tests {
    use weft_shared::{
        api::{chat::ChatTemplate, dataset::NewDataset, evaluation::EvaluatedAnswer},
        pair::Pair,
    };

    use super::*;
    use crate::store::adapters::tests::facts;

    /// With the dataset 1, the adapter `mine` and an evaluation of both.
    fn store() -> (Store, Evaluation) {
        let store = Store::in_memory().unwrap();
        store.create_dataset(&NewDataset { name: "pairs".into(), pairs: vec![] }).unwrap();
        store.add_adapter(&facts("mine")).unwrap();
        let added = store.add_evaluation(&request(Some("mine")), 3).unwrap();
        (store, added)
    }

    fn request(adapter: Option<&str>) -> NewEvaluation {
        NewEvaluation {
            dataset: 1,
            version: Some(1),
            adapter: adapter.map(str::to_owned),
            limit: None,
            template: ChatTemplate::Training,
            max_tokens: 64,
        }
    }

    #[test]
    fn an_evaluation_is_queued_run_and_over() {
        let (store, added) = store();
        let later = store.add_evaluation(&request(None), 3).unwrap();
        assert_eq!((added.state, added.questions), (JobState::Queued, 3));
        assert_eq!((&added.request, &*added.dataset_name), (&request(Some("mine")), "pairs"));

        for _kill in 0..2 {
            let running = store.begin_evaluation().unwrap().unwrap();
            assert_eq!((running.id, running.state), (added.id, JobState::Running));
        }
        let mut result = EvaluationResult::default();
        result.base.add(&["zh".into()], true);
        store.add_answer(added.id, &answer(1, Outcome::Right), &result).unwrap();
        store.end_evaluation(added.id, JobState::Failed, Some("why")).unwrap();

        let over = store.evaluation(added.id).unwrap();
        assert_eq!((over.state, over.error.as_deref()), (JobState::Failed, Some("why")));
        assert_eq!(over.result, result);
        assert!(over.ended_ms >= Some(over.created_ms));
        assert_eq!(store.begin_evaluation().unwrap().unwrap().id, later.id);
        let newest_first = store.evaluations().unwrap().into_iter().map(|it| it.id);
        assert_eq!(newest_first.collect::<Vec<_>>(), [later.id, added.id]);
    }

    #[test]
    fn answers_are_read_a_part_at_a_time_and_by_outcome() {
        let (store, added) = store();
        let result = EvaluationResult::default();
        let outcomes = [Outcome::Learned, Outcome::Wrong, Outcome::Learned, Outcome::Forgotten];
        let all: Vec<_> = (1..).zip(outcomes).map(|(n, outcome)| answer(n, outcome)).collect();
        for answer in &all {
            store.add_answer(added.id, answer, &result).unwrap();
        }

        let read = |after, outcome, limit| {
            let found = store.answers_after(added.id, after, outcome, limit).unwrap();
            found.iter().map(|it| it.number).collect::<Vec<_>>()
        };
        assert_eq!(store.answers_after(added.id, 0, None, 9).unwrap(), all);
        assert_eq!(read(0, None, 3), [1, 2, 3]);
        assert_eq!(read(3, None, 3), [4]);
        assert_eq!(read(0, Some(Outcome::Learned), 9), [1, 3]);
        assert_eq!(read(1, Some(Outcome::Learned), 9), [3]);
        assert_eq!(read(0, Some(Outcome::Right), 9), [0; 0]);
        store.delete_evaluation(added.id).unwrap();
        let count = "SELECT COUNT(*) FROM evaluation_answer";
        assert_eq!(store.lock().query_row(count, [], |row| row.get::<_, usize>(0)).unwrap(), 0);
    }

    #[test]
    fn what_is_over_stays_as_it_is_until_it_is_resumed() {
        let (store, added) = store();
        let id = added.id;
        store.begin_evaluation().unwrap();
        assert!(store.evaluation_goes_on(id).unwrap());
        let refused = store.resume_evaluation(id);
        assert!(matches!(refused, Err(StoreError::EvaluationNotResumable { .. })), "{refused:?}");

        store.end_evaluation(id, JobState::Cancelled, None).unwrap();

        assert!(!store.evaluation_goes_on(id).unwrap());
        assert_eq!(store.begin_evaluation().unwrap(), None);
        for late in [
            store.end_evaluation(id, JobState::Done, None),
            store.add_answer(id, &answer(1, Outcome::Right), &EvaluationResult::default()),
        ] {
            assert!(matches!(late, Err(StoreError::EvaluationIsOver(_))), "{late:?}");
        }
        assert_eq!(store.answers_after(id, 0, None, 9).unwrap(), []);
        let resumed = store.resume_evaluation(id).unwrap();
        assert_eq!((resumed.state, resumed.ended_ms), (JobState::Queued, None));
        assert_eq!(store.begin_evaluation().unwrap().unwrap().id, id);
    }

    fn answer(number: usize, outcome: Outcome) -> EvaluatedPair {
        let said = |is_right| EvaluatedAnswer { text: "said".into(), is_right };
        EvaluatedPair {
            number,
            pair: Pair::new("q", "a"),
            base: said(false),
            adapter: Some(said(outcome == Outcome::Learned)),
            outcome,
        }
    }

    #[test]
    fn it_follows_its_adapter_and_outlives_its_dataset() {
        let (store, added) = store();

        store.rename_adapter("mine", "yours").unwrap();
        store.delete_dataset(1).unwrap();
        let kept = store.evaluation(added.id).unwrap();
        assert_eq!(
            (kept.request.adapter.as_deref(), &*kept.dataset_name),
            (Some("yours"), "pairs")
        );

        store.delete_adapter("yours").unwrap();
        assert!(store.evaluations().unwrap().is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let (store, added) = store();
        store.delete_evaluation(added.id).unwrap();

        let id = added.id;
        for missing in [
            store.evaluation(id).map(|_| ()),
            store.delete_evaluation(id),
            store.end_evaluation(id, JobState::Done, None),
            store.add_answer(id, &answer(1, Outcome::Right), &EvaluationResult::default()),
            store.resume_evaluation(id).map(|_| ()),
            store.answers_after(id, 0, None, 1).map(|_| ()),
        ] {
            assert!(matches!(missing, Err(StoreError::NoEvaluation(found)) if found == id));
        }
        let of_nobody = store.add_evaluation(&request(Some("nobody's")), 3);
        assert!(matches!(of_nobody, Err(StoreError::NoAdapter(_))));
        assert_eq!(store.begin_evaluation().unwrap(), None);
    }
}
