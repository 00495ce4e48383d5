//! Datasets: rows of pairs that are edited one batch at a time, and versions that never change.

use serde::{Deserialize, Serialize};

use crate::pair::Pair;

/// One line of `GET /api/datasets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetSummary {
    pub id: i64,
    pub name: String,
    /// How many pairs it has.
    pub pairs: usize,
    /// Counts up with every batch of edits.
    pub revision: u64,
    pub updated_ms: u64,
}

/// The answer of `GET /api/datasets/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dataset {
    #[serde(flatten)]
    pub summary: DatasetSummary,
    /// By id, which is also their order.
    pub rows: Vec<Row>,
}

/// A pair with a name that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Row {
    /// Unique in its dataset, never used again after a deletion.
    pub id: i64,
    pub pair: Pair,
}

/// `POST /api/datasets`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewDataset {
    pub name: String,
    #[serde(default)]
    pub pairs: Vec<Pair>,
}

/// `PATCH /api/datasets/{id}` and other things that have a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rename {
    pub name: String,
}

/// `POST /api/datasets/{id}/edits`: all of them are done, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Edits {
    /// The revision that was edited; another one is refused with 409, so that nobody's work is written over.
    pub revision: u64,
    pub edits: Vec<RowEdit>,
}

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum RowEdit {
    /// New rows at the end, with new ids.
    Add {
        pairs: Vec<Pair>,
    },
    /// Another pair in the place of a row's.
    Update {
        id: i64,
        pair: Pair,
    },
    Delete {
        ids: Vec<i64>,
    },
    /// Rows that were deleted, in their old places: what undoes a deletion.
    Restore {
        rows: Vec<Row>,
    },
}

/// What a batch of edits did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Edited {
    pub revision: u64,
    pub pairs: usize,
    /// Ids of the added rows, in the order of the edits.
    pub added: Vec<i64>,
}

/// A state of a dataset that is kept: every run makes one, and a person may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Version {
    /// Counted from 1 in its dataset.
    pub number: u32,
    pub note: String,
    pub pairs: usize,
    /// Of the dataset when the version was made.
    pub revision: u64,
    pub created_ms: u64,
}

/// `POST /api/datasets/{id}/versions`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct NewVersion {
    pub note: String,
}
