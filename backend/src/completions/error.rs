//! Why a chat request is not answered.

use std::io;

use crate::{engine::EngineError, generation::GenerationError, store::StoreError};

#[derive(Debug, thiserror::Error)]
pub enum CompletionError {
    #[error("there is no model {asked:?}; there is {}", .have.join(", "))]
    NoModel { asked: String, have: Vec<String> },
    #[error("the adapter {adapter} was made for another model than the one that is served")]
    OtherModel { adapter: String },
    #[error("{field} must be {wanted}, found {found}")]
    Field { field: &'static str, wanted: &'static str, found: String },
    #[error(
        "{most} answers are being written, and that is as many as there can be: ask again in a moment"
    )]
    Busy { most: usize },
    #[error("the server is ending")]
    Ending,
    #[error("the system gives the server no thread to answer on")]
    Thread(#[source] io::Error),
    #[error(transparent)]
    Generation(#[from] GenerationError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the model ended before the answer did; the server's log says why")]
    Broken,
}

impl CompletionError {
    pub(super) fn field(field: &'static str, wanted: &'static str, found: impl ToString) -> Self {
        Self::Field { field, wanted, found: found.to_string() }
    }
}
