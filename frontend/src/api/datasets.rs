//! Datasets, their rows and their versions.

use weft_shared::api::dataset::{
    Dataset, DatasetSummary, Edited, Edits, NewDataset, NewVersion, Rename, Row, Version,
};

use super::CallError;

/// The one that was changed last comes first.
pub async fn list() -> Result<Vec<DatasetSummary>, CallError> {
    super::get("/api/datasets").await
}

pub async fn create(new: &NewDataset) -> Result<DatasetSummary, CallError> {
    super::post("/api/datasets", new).await
}

pub async fn get(id: i64) -> Result<Dataset, CallError> {
    super::get(&format!("/api/datasets/{id}")).await
}

pub async fn rename(id: i64, name: String) -> Result<DatasetSummary, CallError> {
    super::patch(&format!("/api/datasets/{id}"), &Rename { name }).await
}

pub async fn delete(id: i64) -> Result<(), CallError> {
    super::delete(&format!("/api/datasets/{id}")).await
}

/// All edits are done, or none; 409 where somebody else was quicker.
pub async fn edit(id: i64, edits: &Edits) -> Result<Edited, CallError> {
    super::post(&format!("/api/datasets/{id}/edits"), edits).await
}

/// Newest first.
pub async fn versions(id: i64) -> Result<Vec<Version>, CallError> {
    super::get(&format!("/api/datasets/{id}/versions")).await
}

pub async fn keep_version(id: i64, note: String) -> Result<Version, CallError> {
    super::post(&format!("/api/datasets/{id}/versions"), &NewVersion { note }).await
}

/// The rows of a version.
pub async fn version(id: i64, number: u32) -> Result<Vec<Row>, CallError> {
    super::get(&format!("/api/datasets/{id}/versions/{number}")).await
}
