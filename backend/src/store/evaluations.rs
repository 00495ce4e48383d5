//! Evaluations: what was asked, how far each is and what it counted.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use weft_shared::api::{
    evaluation::{Evaluation, EvaluationResult, NewEvaluation},
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

    pub fn set_evaluation_result(&self, id: i64, result: &EvaluationResult) -> Result<()> {
        self.update_evaluation(
            id,
            "UPDATE evaluation SET result = ?2 WHERE id = ?1",
            params![id, Json(result)],
        )
    }

    pub fn end_evaluation(&self, id: i64, state: JobState, error: Option<&str>) -> Result<()> {
        self.update_evaluation(
            id,
            "UPDATE evaluation SET state = ?2, error = ?3, ended_ms = ?4 WHERE id = ?1",
            params![id, State(state), error, now_ms()],
        )
    }

    pub fn delete_evaluation(&self, id: i64) -> Result<()> {
        self.update_evaluation(id, "DELETE FROM evaluation WHERE id = ?", [id])
    }

    fn update_evaluation(
        &self,
        id: i64,
        update: &str,
        values: impl rusqlite::Params,
    ) -> Result<()> {
        match self.lock().prepare_cached(update)?.execute(values)? {
            0 => Err(StoreError::NoEvaluation(id)),
            _ => Ok(()),
        }
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
    use weft_shared::api::{chat::ChatTemplate, dataset::NewDataset};

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
        store.set_evaluation_result(added.id, &result).unwrap();
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
            store.set_evaluation_result(id, &EvaluationResult::default()),
        ] {
            assert!(matches!(missing, Err(StoreError::NoEvaluation(found)) if found == id));
        }
        let of_nobody = store.add_evaluation(&request(Some("nobody's")), 3);
        assert!(matches!(of_nobody, Err(StoreError::NoAdapter(_))));
        assert_eq!(store.begin_evaluation().unwrap(), None);
    }
}
