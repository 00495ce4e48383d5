//! What the server remembers: datasets and their versions, jobs and their events, adapters,
//! evaluations, conversations.
//!
//! One SQLite file. Each call is one transaction: when it returns, a kill of the process loses nothing of it, and
//! when it fails, nothing of it was done. Calls block; the web layer makes them on a thread for that.

mod adapters;
mod conversations;
mod datasets;
mod edits;
mod error;
mod evaluations;
mod events;
mod jobs;
mod json;
mod names;
mod versions;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::clock::now_ms;

pub use self::{
    adapters::{AdapterFacts, AdapterRecord},
    edits::LARGEST_PAIR,
    error::{Result, StoreError},
    jobs::NewJobRecord,
    names::check_name,
};

/// One file each, in their order; a file that was released never changes.
const STEPS: &[M<'static>] = &[
    M::up(include_str!("store/migrations/1.sql")),
    M::up(include_str!("store/migrations/2.sql")),
    M::up(include_str!("store/migrations/3.sql")),
];
const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// How long a call waits for another program that reads the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// A handle to the one connection; clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
}

impl Store {
    /// Opens the file, makes it where it is missing, and brings it to this program's form.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot_open = |source| StoreError::Unopened { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(cannot_open)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(cannot_open)?;
        Self::prepare(connection)
    }

    /// A store that is gone with its last handle.
    pub fn in_memory() -> Result<Self> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(mut connection: Connection) -> Result<Self> {
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.set_prepared_statement_cache_capacity(64);
        MIGRATIONS.to_latest(&mut connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// The connection. A thread that panicked with it has left no half transaction: it is rolled back when dropped.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, mem};

    use weft_shared::{api::dataset::NewDataset, pair::Pair};

    use super::*;

    #[test]
    fn the_migrations_are_sound() {
        MIGRATIONS.validate().unwrap();
    }

    #[test]
    fn what_was_answered_is_there_after_a_kill() {
        let before = tempfile::tempdir().unwrap();
        let store = Store::open(&before.path().join("weft.sqlite3")).unwrap();
        let new = NewDataset { name: "mine".into(), pairs: vec![Pair::new("q", "a")] };
        let id = store.create_dataset(&new).unwrap().id;
        // Never closed, as after a kill: what the next start finds are the files as they are now.
        mem::forget(store);
        let after = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(before.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), after.path().join(entry.file_name())).unwrap();
        }

        let store = Store::open(&after.path().join("weft.sqlite3")).unwrap();

        assert_eq!(store.dataset(id).unwrap().rows[0].pair, Pair::new("q", "a"));
    }

    #[test]
    fn a_file_of_a_newer_program_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("weft.sqlite3");
        let new = NewDataset { name: "kept".into(), pairs: vec![] };
        Store::open(&path).unwrap().create_dataset(&new).unwrap();
        let set_form = |form: usize| {
            Connection::open(&path).unwrap().pragma_update(None, "user_version", form).unwrap();
        };

        set_form(1000);
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Newer), "{error}");

        set_form(STEPS.len());
        assert_eq!(Store::open(&path).unwrap().datasets().unwrap()[0].name, "kept");
    }

    #[test]
    fn a_file_that_is_no_database_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("weft.sqlite3");
        fs::write(&path, "not a database, but long enough to be looked at as one").unwrap();

        let error = Store::open(&path).unwrap_err();

        assert!(error.to_string().contains("weft.sqlite3"), "{error}");
    }
}
