//! Versions of datasets: revisions that are remembered.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use weft_shared::api::dataset::{Dataset, Row, Version};

use super::{
    Result, Store, StoreError,
    datasets::{dataset, read_row, summary},
    edits::Batch,
    now_ms,
};

impl Store {
    /// Remembers the dataset as it is. Without a note, and where nothing changed since, that is the newest version.
    pub fn keep_version(&self, dataset: i64, note: &str) -> Result<Version> {
        let note = note.trim();
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let summary = summary(&transaction, dataset)?;
        let newest = transaction
            .prepare_cached(&format!("{SELECT} ORDER BY number DESC LIMIT 1"))?
            .query_row([dataset], read_version)
            .optional()?;
        if let Some(newest) = &newest
            && newest.revision == summary.revision
            && note.is_empty()
        {
            return Ok(newest.clone());
        }
        let version = Version {
            number: newest.map_or(0, |newest| newest.number) + 1,
            note: note.to_owned(),
            pairs: summary.pairs,
            revision: summary.revision,
            created_ms: now_ms(),
        };
        transaction.execute(
            "INSERT INTO version (dataset, number, note, pairs, revision, created_ms) \
             VALUES (?, ?, ?, ?, ?, ?)",
            params![
                dataset,
                version.number,
                version.note,
                version.pairs,
                version.revision,
                version.created_ms
            ],
        )?;
        transaction.commit()?;
        Ok(version)
    }

    /// Newest first.
    pub fn versions(&self, dataset: i64) -> Result<Vec<Version>> {
        let connection = self.lock();
        summary(&connection, dataset)?;
        let mut select = connection.prepare_cached(&format!("{SELECT} ORDER BY number DESC"))?;
        let versions = select.query_map([dataset], read_version)?;
        Ok(versions.collect::<rusqlite::Result<_>>()?)
    }

    pub fn version_rows(&self, dataset: i64, number: u32) -> Result<Vec<Row>> {
        let connection = self.lock();
        let revision = revision(&connection, dataset, number)?;
        let mut select = connection.prepare_cached(
            "SELECT id, json FROM pair WHERE dataset = ?1 \
             AND since <= ?2 AND (until IS NULL OR until > ?2) ORDER BY id",
        )?;
        let rows = select.query_map(params![dataset, revision], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Makes the version's rows the dataset's, under their ids; what it holds now is gone unless a version has it.
    pub fn restore_version(&self, id: i64, number: u32) -> Result<Dataset> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let revision = revision(&transaction, id, number)?;
        let batch = Batch::begin(&transaction, id)?;
        batch.restore_revision(revision)?;
        batch.end()?;
        let restored = dataset(&transaction, id)?;
        transaction.commit()?;
        Ok(restored)
    }
}

const SELECT: &str =
    "SELECT number, note, pairs, revision, created_ms FROM version WHERE dataset = ?";

fn read_version(row: &rusqlite::Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        number: row.get(0)?,
        note: row.get(1)?,
        pairs: row.get(2)?,
        revision: row.get(3)?,
        created_ms: row.get(4)?,
    })
}

/// The revision that a version remembers.
fn revision(connection: &Connection, dataset: i64, number: u32) -> Result<u64> {
    summary(connection, dataset)?;
    connection
        .prepare_cached("SELECT revision FROM version WHERE dataset = ? AND number = ?")?
        .query_row(params![dataset, number], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::NoVersion { dataset, number })
}

#[cfg(test)]
mod tests {
    use weft_shared::api::dataset::RowEdit;

    use super::*;
    use crate::store::edits::tests::{edit, pair, store_of};

    /// Each kind of edit.
    fn rework(store: &Store, id: i64) {
        edit(
            store,
            id,
            vec![
                RowEdit::Update { id: 1, pair: pair("changed") },
                RowEdit::Delete { ids: vec![2] },
                RowEdit::Add { pairs: vec![pair("new")] },
            ],
        )
        .unwrap();
    }

    #[test]
    fn versions_stay_what_they_were() {
        let (store, id) = store_of(&["a", "b", "c"]);
        let first = store.dataset(id).unwrap().rows;
        assert_eq!(store.keep_version(id, "").unwrap().number, 1);
        rework(&store, id);
        let second = store.dataset(id).unwrap().rows;
        assert_eq!(store.keep_version(id, "").unwrap().number, 2);
        edit(&store, id, vec![RowEdit::Delete { ids: vec![1, 3, 4] }]).unwrap();
        edit(&store, id, vec![RowEdit::Restore { rows: vec![first[1].clone()] }]).unwrap();

        assert_eq!(store.version_rows(id, 1).unwrap(), first);
        assert_eq!(store.version_rows(id, 2).unwrap(), second);
        assert_eq!(store.dataset(id).unwrap().rows, first[1..2]);
    }

    #[test]
    fn without_a_change_or_a_note_the_newest_version_is_enough() {
        let (store, id) = store_of(&["a"]);
        let first = store.keep_version(id, " before ").unwrap();

        assert_eq!((first.note.as_str(), first.pairs, first.revision), ("before", 1, 0));
        assert_eq!(store.keep_version(id, "").unwrap(), first);
        assert_eq!(store.keep_version(id, "again").unwrap().number, 2);
        edit(&store, id, vec![RowEdit::Add { pairs: vec![pair("b")] }]).unwrap();
        assert_eq!(store.keep_version(id, "").unwrap().number, 3);

        let versions = store.versions(id).unwrap();
        assert_eq!(
            versions.iter().map(|v| (v.number, v.pairs)).collect::<Vec<_>>(),
            [(3, 2), (2, 1), (1, 1)]
        );
    }

    #[test]
    fn a_restored_version_has_its_rows_under_their_ids() {
        let (store, id) = store_of(&["a", "b", "c"]);
        let first = store.dataset(id).unwrap().rows;
        store.keep_version(id, "").unwrap();
        rework(&store, id);
        let second = store.dataset(id).unwrap().rows;
        store.keep_version(id, "").unwrap();
        rework_unkept(&store, id);

        let restored = store.restore_version(id, 1).unwrap();
        assert_eq!((restored.rows, restored.summary.revision), (first.clone(), 3));
        assert_eq!(store.restore_version(id, 2).unwrap().rows, second);

        assert_eq!(store.version_rows(id, 1).unwrap(), first);
        assert_eq!(store.version_rows(id, 2).unwrap(), second);
        edit(&store, id, vec![RowEdit::Add { pairs: vec![pair("newer")] }]).unwrap();
        assert_eq!(store.dataset(id).unwrap().rows.last().unwrap().id, 6);
    }

    /// Edits that no version remembers.
    fn rework_unkept(store: &Store, id: i64) {
        let changed = RowEdit::Update { id: 3, pair: pair("lost") };
        edit(store, id, vec![changed, RowEdit::Add { pairs: vec![pair("lost too")] }]).unwrap();
    }

    #[test]
    fn what_is_missing_is_named() {
        let (store, id) = store_of(&[]);

        let missing = store.version_rows(id, 1).unwrap_err();
        assert!(matches!(missing, StoreError::NoVersion { number: 1, .. }), "{missing}");
        assert!(matches!(store.restore_version(id, 1), Err(StoreError::NoVersion { .. })));
        assert!(matches!(store.versions(id + 1), Err(StoreError::NoDataset(_))));
        assert!(matches!(store.version_rows(id + 1, 1), Err(StoreError::NoDataset(_))));
        assert!(matches!(store.keep_version(id + 1, ""), Err(StoreError::NoDataset(_))));
    }
}
