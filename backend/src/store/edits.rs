//! Batches of edits: all of them are done, or none.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use weft_shared::{
    api::dataset::{Edited, Edits, Row, RowEdit},
    pair::Pair,
};

use super::{Result, Store, StoreError, json::Json, now_ms};

/// Bytes of a pair's JSON. A sample has a few thousand tokens at most, so what is longer is a mistake.
pub const LARGEST_PAIR: usize = 1_000_000;

impl Store {
    pub fn edit_dataset(&self, id: i64, edits: &Edits) -> Result<Edited> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let batch = Batch::begin(&transaction, id)?;
        if batch.revision - 1 != edits.revision {
            let found = batch.revision - 1;
            return Err(StoreError::Stale { wanted: edits.revision, found });
        }
        let mut added = Vec::new();
        for edit in &edits.edits {
            match edit {
                RowEdit::Add { pairs } => {
                    added.extend(add(&transaction, id, batch.revision, pairs)?);
                }
                RowEdit::Update { id, pair } => batch.update(*id, pair)?,
                RowEdit::Delete { ids } => ids.iter().try_for_each(|id| batch.delete(*id))?,
                RowEdit::Restore { rows } => rows.iter().try_for_each(|row| batch.restore(row))?,
            }
        }
        let pairs = batch.end()?;
        let revision = batch.revision;
        transaction.commit()?;
        Ok(Edited { revision, pairs, added })
    }
}

/// Puts pairs behind the last row that the dataset ever had and gives their ids.
pub(super) fn add(
    connection: &Connection,
    dataset: i64,
    revision: u64,
    pairs: &[Pair],
) -> Result<Vec<i64>> {
    let first = next_row(connection, dataset)?;
    let ids: Vec<i64> = (first..).take(pairs.len()).collect();
    for (&id, pair) in ids.iter().zip(pairs) {
        insert(connection, dataset, revision, id, pair)?;
    }
    connection
        .prepare_cached("UPDATE dataset SET next_row = next_row + ? WHERE id = ?")?
        .execute(params![pairs.len(), dataset])?;
    Ok(ids)
}

/// The making of one revision.
pub(super) struct Batch<'a> {
    connection: &'a Connection,
    dataset: i64,
    /// The one that is made.
    pub(super) revision: u64,
    /// The revision of the newest version, −1 without one: pairs that are younger are in no version.
    kept: i64,
}

impl<'a> Batch<'a> {
    pub(super) fn begin(connection: &'a Connection, dataset: i64) -> Result<Self> {
        let (revision, kept): (u64, i64) = connection
            .prepare_cached(
                "SELECT revision, \
                 (SELECT COALESCE(MAX(revision), -1) FROM version WHERE version.dataset = dataset.id) \
                 FROM dataset WHERE id = ?",
            )?
            .query_row([dataset], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or(StoreError::NoDataset(dataset))?;
        Ok(Self { connection, dataset, revision: revision + 1, kept })
    }

    fn update(&self, id: i64, pair: &Pair) -> Result<()> {
        self.delete(id)?;
        insert(self.connection, self.dataset, self.revision, id, pair)
    }

    /// Ends a row; where no version has it, it leaves no trace.
    fn delete(&self, id: i64) -> Result<()> {
        let forgotten = self
            .connection
            .prepare_cached(
                "DELETE FROM pair WHERE dataset = ? AND id = ? AND until IS NULL AND since > ?",
            )?
            .execute(params![self.dataset, id, self.kept])?;
        if forgotten == 1 {
            return Ok(());
        }
        let ended = self
            .connection
            .prepare_cached(
                "UPDATE pair SET until = ? WHERE dataset = ? AND id = ? AND until IS NULL",
            )?
            .execute(params![self.revision, self.dataset, id])?;
        if ended == 1 { Ok(()) } else { Err(StoreError::NoRow(id)) }
    }

    fn restore(&self, row: &Row) -> Result<()> {
        if !(1..next_row(self.connection, self.dataset)?).contains(&row.id) {
            return Err(StoreError::NoRow(row.id));
        }
        let exists = self
            .connection
            .prepare_cached("SELECT 1 FROM pair WHERE dataset = ? AND id = ? AND until IS NULL")?
            .exists(params![self.dataset, row.id])?;
        if exists {
            return Err(StoreError::RowExists(row.id));
        }
        insert(self.connection, self.dataset, self.revision, row.id, &row.pair)
    }

    /// Makes the rows those of an earlier revision that a version keeps.
    pub(super) fn restore_revision(&self, revision: u64) -> Result<()> {
        let (dataset, now) = (self.dataset, self.revision);
        self.connection.execute(
            "DELETE FROM pair WHERE dataset = ? AND until IS NULL AND since > ?",
            params![dataset, self.kept],
        )?;
        self.connection.execute(
            "UPDATE pair SET until = ? WHERE dataset = ? AND until IS NULL AND since > ?",
            params![now, dataset, revision],
        )?;
        self.connection.execute(
            "INSERT INTO pair (dataset, id, since, until, json) \
             SELECT dataset, id, ?1, NULL, json FROM pair \
             WHERE dataset = ?2 AND since <= ?3 AND until > ?3",
            params![now, dataset, revision],
        )?;
        Ok(())
    }

    /// Counts the revision up and gives the number of pairs.
    pub(super) fn end(&self) -> Result<usize> {
        self.connection
            .prepare_cached("UPDATE dataset SET revision = ?, updated_ms = ? WHERE id = ?")?
            .execute(params![self.revision, now_ms(), self.dataset])?;
        let count = "SELECT COUNT(*) FROM pair WHERE dataset = ? AND until IS NULL";
        let mut count = self.connection.prepare_cached(count)?;
        Ok(count.query_row([self.dataset], |row| row.get(0))?)
    }
}

/// Ids from this on were never given.
fn next_row(connection: &Connection, dataset: i64) -> Result<i64> {
    let mut select = connection.prepare_cached("SELECT next_row FROM dataset WHERE id = ?")?;
    Ok(select.query_row([dataset], |row| row.get(0))?)
}

fn insert(connection: &Connection, dataset: i64, since: u64, id: i64, pair: &Pair) -> Result<()> {
    let text = |text: &str| text.len();
    let bytes = text(&pair.question)
        + text(&pair.answer)
        + pair.system.as_deref().map_or(0, text)
        + pair.history.iter().map(|turn| turn.question.len() + turn.answer.len()).sum::<usize>()
        + pair.tags.iter().map(String::len).sum::<usize>();
    if bytes > LARGEST_PAIR {
        return Err(StoreError::PairTooLarge { bytes, largest: LARGEST_PAIR });
    }
    connection
        .prepare_cached("INSERT INTO pair (dataset, id, since, json) VALUES (?, ?, ?, ?)")?
        .execute(params![dataset, id, since, Json(pair)])?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::{Duration, Instant};

    use weft_shared::api::dataset::{Dataset, NewDataset};

    use super::*;

    pub(in crate::store) fn pair(text: &str) -> Pair {
        Pair::new(text, "answer")
    }

    /// A store with a dataset of one pair for each question.
    pub(in crate::store) fn store_of(questions: &[&str]) -> (Store, i64) {
        let store = Store::in_memory().unwrap();
        let pairs = questions.iter().map(|question| pair(question)).collect();
        let id = store.create_dataset(&NewDataset { name: "mine".into(), pairs }).unwrap().id;
        (store, id)
    }

    /// Edits whatever the revision is.
    pub(in crate::store) fn edit(store: &Store, id: i64, edits: Vec<RowEdit>) -> Result<Edited> {
        let revision = store.dataset(id).unwrap().summary.revision;
        store.edit_dataset(id, &Edits { revision, edits })
    }

    fn questions(dataset: &Dataset) -> Vec<(i64, &str)> {
        dataset.rows.iter().map(|row| (row.id, row.pair.question.as_str())).collect()
    }

    #[test]
    fn a_batch_adds_updates_and_deletes_in_its_order() {
        let (store, id) = store_of(&["a", "b"]);

        let edited = edit(
            &store,
            id,
            vec![
                RowEdit::Add { pairs: vec![pair("c"), pair("d")] },
                RowEdit::Update { id: 3, pair: pair("c, better") },
                RowEdit::Delete { ids: vec![1, 4] },
                RowEdit::Add { pairs: vec![pair("e")] },
            ],
        )
        .unwrap();

        assert_eq!(edited, Edited { revision: 1, pairs: 3, added: vec![3, 4, 5] });
        let dataset = store.dataset(id).unwrap();
        assert_eq!(questions(&dataset), [(2, "b"), (3, "c, better"), (5, "e")]);
        assert_eq!((dataset.summary.revision, dataset.summary.pairs), (1, 3));
    }

    #[test]
    fn an_undone_deletion_puts_the_rows_back_in_their_places() {
        let (store, id) = store_of(&["a", "b", "c", "d"]);
        let before = store.dataset(id).unwrap().rows;
        edit(&store, id, vec![RowEdit::Delete { ids: vec![3, 1] }]).unwrap();
        edit(&store, id, vec![RowEdit::Add { pairs: vec![pair("e")] }]).unwrap();

        let rows = vec![before[2].clone(), before[0].clone()];
        edit(&store, id, vec![RowEdit::Restore { rows }]).unwrap();

        let dataset = store.dataset(id).unwrap();
        assert_eq!(questions(&dataset), [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]);
    }

    #[test]
    fn ids_are_not_used_again_after_a_deletion() {
        let (store, id) = store_of(&["a", "b"]);
        edit(&store, id, vec![RowEdit::Delete { ids: vec![1, 2] }]).unwrap();

        let edited = edit(&store, id, vec![RowEdit::Add { pairs: vec![pair("c")] }]).unwrap();

        assert_eq!(edited.added, [3]);
    }

    #[test]
    fn only_what_was_deleted_can_be_restored() {
        let (store, id) = store_of(&["a"]);
        let restore = |row| {
            let rows = vec![Row { id: row, pair: pair("x") }];
            edit(&store, id, vec![RowEdit::Restore { rows }]).unwrap_err()
        };

        assert!(matches!(restore(1), StoreError::RowExists(1)));
        for never in [0, -1, 2] {
            assert!(matches!(restore(never), StoreError::NoRow(row) if row == never));
        }
    }

    #[test]
    fn an_edit_of_an_older_revision_is_refused_and_nothing_done() {
        let (store, id) = store_of(&["a"]);
        edit(&store, id, vec![RowEdit::Add { pairs: vec![pair("b")] }]).unwrap();
        let before = store.dataset(id).unwrap();

        let edits = Edits { revision: 0, edits: vec![RowEdit::Delete { ids: vec![1] }] };
        let error = store.edit_dataset(id, &edits).unwrap_err();

        assert!(matches!(error, StoreError::Stale { wanted: 0, found: 1 }), "{error}");
        assert_eq!(store.dataset(id).unwrap(), before);
    }

    #[test]
    fn a_batch_with_one_bad_edit_does_nothing() {
        let (store, id) = store_of(&["a"]);
        let before = store.dataset(id).unwrap();
        let too_large = pair(&"x".repeat(LARGEST_PAIR));
        let bad = [
            RowEdit::Update { id: 7, pair: pair("x") },
            RowEdit::Delete { ids: vec![1, 1] },
            RowEdit::Add { pairs: vec![too_large] },
        ];

        for bad in bad {
            let good = RowEdit::Add { pairs: vec![pair("b")] };
            assert!(edit(&store, id, vec![good, bad]).is_err());
            assert_eq!(store.dataset(id).unwrap(), before);
        }
    }

    #[test]
    fn there_is_nothing_to_edit_without_a_dataset() {
        let (store, id) = store_of(&[]);
        let edits = Edits { revision: 0, edits: vec![] };

        let error = store.edit_dataset(id + 1, &edits).unwrap_err();

        assert!(matches!(error, StoreError::NoDataset(found) if found == id + 1));
    }

    #[test]
    fn what_no_version_has_leaves_no_trace() {
        let (store, id) = store_of(&["a"]);
        for n in 0..5 {
            let update = RowEdit::Update { id: 1, pair: pair(&n.to_string()) };
            edit(&store, id, vec![update]).unwrap();
        }

        let count = "SELECT COUNT(*) FROM pair";
        let rows: usize = store.lock().query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }

    /// Loose, for a busy machine and an unoptimized build: it catches a commit or a full scan for each row.
    #[test]
    fn ten_thousand_rows_are_no_wait() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("weft.sqlite3")).unwrap();
        let pairs: Vec<Pair> = (0..10_000).map(|n| pair(&n.to_string())).collect();
        let start = Instant::now();

        let id = store.create_dataset(&NewDataset { name: "big".into(), pairs }).unwrap().id;
        store.keep_version(id, "").unwrap();
        let update = |id| RowEdit::Update { id, pair: pair("changed") };
        edit(&store, id, (1..=10_000).map(update).collect()).unwrap();
        edit(&store, id, vec![RowEdit::Delete { ids: (1..=10_000).collect() }]).unwrap();
        store.restore_version(id, 1).unwrap();

        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}
