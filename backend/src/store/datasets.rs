//! Datasets: what they are called and hold now.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use weft_shared::api::dataset::{Dataset, DatasetSummary, NewDataset, Row};

use super::{Result, Store, StoreError, edits, json::Json, names, now_ms};

impl Store {
    pub fn create_dataset(&self, new: &NewDataset) -> Result<DatasetSummary> {
        let name = names::title(&new.name)?;
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO dataset (name, revision, next_row, updated_ms) VALUES (?, 0, 1, ?)",
            params![name, now_ms()],
        )?;
        let id = transaction.last_insert_rowid();
        edits::add(&transaction, id, 0, &new.pairs)?;
        let summary = summary(&transaction, id)?;
        transaction.commit()?;
        Ok(summary)
    }

    /// The one that was changed last comes first.
    pub fn datasets(&self) -> Result<Vec<DatasetSummary>> {
        let connection = self.lock();
        let mut select = connection
            .prepare_cached(&format!("{SELECT} ORDER BY updated_ms DESC, dataset.id DESC"))?;
        let summaries = select.query_map([], read_summary)?;
        Ok(summaries.collect::<rusqlite::Result<_>>()?)
    }

    pub fn dataset(&self, id: i64) -> Result<Dataset> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let dataset = dataset(&transaction, id)?;
        transaction.commit()?;
        Ok(dataset)
    }

    pub fn rename_dataset(&self, id: i64, name: &str) -> Result<DatasetSummary> {
        let name = names::title(name)?;
        let connection = self.lock();
        connection.execute(
            "UPDATE dataset SET name = ?, updated_ms = ? WHERE id = ?",
            params![name, now_ms(), id],
        )?;
        summary(&connection, id)
    }

    /// Deletes the versions too. Jobs keep the pairs that they were started with.
    pub fn delete_dataset(&self, id: i64) -> Result<()> {
        match self.lock().execute("DELETE FROM dataset WHERE id = ?", [id])? {
            0 => Err(StoreError::NoDataset(id)),
            _ => Ok(()),
        }
    }
}

const SELECT: &str = "SELECT dataset.id, name, revision, updated_ms, \
     (SELECT COUNT(*) FROM pair WHERE pair.dataset = dataset.id AND until IS NULL) FROM dataset";

pub(super) fn summary(connection: &Connection, id: i64) -> Result<DatasetSummary> {
    connection
        .prepare_cached(&format!("{SELECT} WHERE dataset.id = ?"))?
        .query_row([id], read_summary)
        .optional()?
        .ok_or(StoreError::NoDataset(id))
}

pub(super) fn dataset(connection: &Connection, id: i64) -> Result<Dataset> {
    let summary = summary(connection, id)?;
    let mut select = connection.prepare_cached(
        "SELECT id, json FROM pair WHERE dataset = ? AND until IS NULL ORDER BY id",
    )?;
    let rows = select.query_map([id], read_row)?.collect::<rusqlite::Result<_>>()?;
    Ok(Dataset { summary, rows })
}

/// Of the columns `id` and `json`.
pub(super) fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { id: row.get(0)?, pair: row.get::<_, Json<_>>(1)?.0 })
}

fn read_summary(row: &rusqlite::Row<'_>) -> rusqlite::Result<DatasetSummary> {
    Ok(DatasetSummary {
        id: row.get(0)?,
        name: row.get(1)?,
        revision: row.get(2)?,
        updated_ms: row.get(3)?,
        pairs: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use weft_shared::pair::{Pair, Turn};

    use super::*;

    fn new(name: &str, pairs: &[Pair]) -> NewDataset {
        NewDataset { name: name.into(), pairs: pairs.to_vec() }
    }

    #[test]
    fn a_dataset_gives_back_what_was_put_into_it() {
        let store = Store::in_memory().unwrap();
        let full = Pair {
            history: vec![Turn::new("before", "that")],
            system: Some(String::new()),
            tags: vec!["t".into()],
            ..Pair::new("问\n\u{0}", "答")
        };

        let summary = store.create_dataset(&new(" mine ", &[full.clone(), full.clone()])).unwrap();
        let dataset = store.dataset(summary.id).unwrap();

        assert_eq!((summary.name.as_str(), summary.pairs, summary.revision), ("mine", 2, 0));
        assert_eq!(dataset.summary, summary);
        assert_eq!(dataset.rows, [Row { id: 1, pair: full.clone() }, Row { id: 2, pair: full }]);
    }

    #[test]
    fn what_was_changed_last_comes_first() {
        let store = Store::in_memory().unwrap();
        let first = store.create_dataset(&new("first", &[])).unwrap().id;
        let second = store.create_dataset(&new("second", &[])).unwrap().id;
        let ids = || store.datasets().unwrap().iter().map(|d| d.id).collect::<Vec<_>>();
        assert_eq!(ids(), [second, first]);

        std::thread::sleep(std::time::Duration::from_millis(2));
        let renamed = store.rename_dataset(first, "third").unwrap();

        assert_eq!((renamed.name.as_str(), renamed.revision), ("third", 0));
        assert_eq!(ids(), [first, second]);
    }

    #[test]
    fn a_deleted_dataset_is_gone_and_its_id_not_used_again() {
        let store = Store::in_memory().unwrap();
        let id = store.create_dataset(&new("one", &[Pair::new("q", "a")])).unwrap().id;
        store.keep_version(id, "").unwrap();

        store.delete_dataset(id).unwrap();

        assert!(matches!(store.dataset(id), Err(StoreError::NoDataset(found)) if found == id));
        assert!(matches!(store.delete_dataset(id), Err(StoreError::NoDataset(_))));
        assert!(matches!(store.rename_dataset(id, "x"), Err(StoreError::NoDataset(_))));
        assert!(store.create_dataset(&new("two", &[])).unwrap().id > id);
        for table in ["pair", "version"] {
            let count = format!("SELECT COUNT(*) FROM {table}");
            let left: usize = store.lock().query_row(&count, [], |row| row.get(0)).unwrap();
            assert_eq!(left, 0, "{table}");
        }
    }

    #[test]
    fn a_dataset_without_a_name_is_refused() {
        let store = Store::in_memory().unwrap();

        assert!(matches!(store.create_dataset(&new(" ", &[])), Err(StoreError::BadName { .. })));
        assert!(store.datasets().unwrap().is_empty());
    }
}
