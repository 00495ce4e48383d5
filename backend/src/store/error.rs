//! Why the store did not do what it was asked.

use std::path::PathBuf;

use rusqlite_migration::MigrationDefinitionError;
use weft_shared::api::job::JobState;

pub type Result<T> = std::result::Result<T, StoreError>;

/// Each variant is a situation that a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no dataset {0}")]
    NoDataset(i64),
    #[error("the dataset {dataset} has no version {number}")]
    NoVersion { dataset: i64, number: u32 },
    #[error("the dataset has no row {0}")]
    NoRow(i64),
    #[error("the row {0} is in the dataset already")]
    RowExists(i64),
    #[error("there is no job {0}")]
    NoJob(i64),
    #[error("the job {0} is not over; cancel it first")]
    JobGoesOn(i64),
    #[error("the job {0} is over")]
    JobIsOver(i64),
    #[error("there is no adapter {0}")]
    NoAdapter(String),
    #[error("there is no evaluation {0}")]
    NoEvaluation(i64),
    #[error("the evaluation {0} is over")]
    EvaluationIsOver(i64),
    #[error("the evaluation {id} is {state:?}: only a cancelled or failed one can be resumed")]
    EvaluationNotResumable { id: i64, state: JobState },
    #[error("there is no conversation {0}")]
    NoConversation(i64),
    #[error("there is an adapter {0} already")]
    NameTaken(String),
    #[error("{name:?} cannot be a name: {wanted}")]
    BadName { name: String, wanted: &'static str },
    #[error(
        "the dataset was changed elsewhere: it is at revision {found}, not {wanted}; load it again"
    )]
    Stale { wanted: u64, found: u64 },
    #[error("a pair has {bytes} bytes; the largest may have {largest}")]
    PairTooLarge { bytes: usize, largest: usize },
    #[error("a number is not finite")]
    NotFinite,
    #[error(
        "the database was written by a newer Weft; start that one, or give another folder with --data-dir"
    )]
    Newer,
    #[error("cannot open the database {path}")]
    Unopened {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    #[error("the database could not be brought to this program's form")]
    Migration(#[source] rusqlite_migration::Error),
    #[error("the database")]
    Database(#[from] rusqlite::Error),
    #[error("JSON in the database")]
    Json(#[from] serde_json::Error),
}

impl From<rusqlite_migration::Error> for StoreError {
    fn from(error: rusqlite_migration::Error) -> Self {
        match error {
            rusqlite_migration::Error::MigrationDefinition(
                MigrationDefinitionError::DatabaseTooFarAhead,
            ) => Self::Newer,
            error => Self::Migration(error),
        }
    }
}
