//! `/api/datasets`: datasets, their rows and their versions.

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::{get, post},
};
use weft_shared::api::dataset::{
    Dataset, DatasetSummary, Edited, Edits, NewDataset, NewVersion, Rename, Row, Version,
};

use super::{ApiError, AppState, json::Json, path::Path};
use crate::store::Store;

/// Bytes: ten thousand long pairs, and then some.
const LARGEST_BODY: usize = 64 << 20;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/datasets", get(list_datasets).post(create_dataset))
        .route("/api/datasets/{id}", get(read_dataset).patch(rename_dataset).delete(delete_dataset))
        .route("/api/datasets/{id}/edits", post(edit_dataset))
        .route("/api/datasets/{id}/versions", get(list_versions).post(keep_version))
        .route("/api/datasets/{id}/versions/{number}", get(read_version))
        .route("/api/datasets/{id}/versions/{number}/restore", post(restore_version))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

type Answer<T> = Result<Json<T>, ApiError>;

/// Lists the datasets.
///
/// The one that was changed last comes first.
#[utoipa::path(get, path = "/api/datasets", tag = "datasets", responses((status = 200, description = "all datasets", body = Vec<DatasetSummary>)))]
pub(super) async fn list_datasets(State(app): State<AppState>) -> Answer<Vec<DatasetSummary>> {
    app.stored(Store::datasets).await.map(Json)
}

/// Makes a dataset.
#[utoipa::path(post, path = "/api/datasets", tag = "datasets", request_body = NewDataset, responses((status = 201, description = "the new dataset", body = DatasetSummary)))]
pub(super) async fn create_dataset(
    State(app): State<AppState>,
    Json(new): Json<NewDataset>,
) -> Result<(StatusCode, Json<DatasetSummary>), ApiError> {
    let created = app.stored(move |store| store.create_dataset(&new)).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Reads a dataset.
#[utoipa::path(get, path = "/api/datasets/{id}", tag = "datasets", params(("id" = i64, Path)), responses((status = 200, description = "the dataset with its rows", body = Dataset)))]
pub(super) async fn read_dataset(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Answer<Dataset> {
    app.stored(move |store| store.dataset(id)).await.map(Json)
}

/// Renames a dataset.
#[utoipa::path(patch, path = "/api/datasets/{id}", tag = "datasets", params(("id" = i64, Path)), request_body = Rename, responses((status = 200, description = "the renamed dataset", body = DatasetSummary)))]
pub(super) async fn rename_dataset(
    State(app): State<AppState>,
    Path(id): Path<i64>,
    Json(new): Json<Rename>,
) -> Answer<DatasetSummary> {
    app.stored(move |store| store.rename_dataset(id, &new.name)).await.map(Json)
}

/// Deletes a dataset.
///
/// Its versions go too; runs keep the pairs that they were started with.
#[utoipa::path(delete, path = "/api/datasets/{id}", tag = "datasets", params(("id" = i64, Path)), responses((status = 204, description = "it is gone")))]
pub(super) async fn delete_dataset(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    app.stored(move |store| store.delete_dataset(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Edits the rows of a dataset.
///
/// All edits are done, or none: 409 where the revision is another, so that nobody's work is written over.
#[utoipa::path(post, path = "/api/datasets/{id}/edits", tag = "datasets", params(("id" = i64, Path)), request_body = Edits, responses((status = 200, description = "what was done", body = Edited)))]
pub(super) async fn edit_dataset(
    State(app): State<AppState>,
    Path(id): Path<i64>,
    Json(edits): Json<Edits>,
) -> Answer<Edited> {
    app.stored(move |store| store.edit_dataset(id, &edits)).await.map(Json)
}

/// Lists the versions of a dataset.
///
/// Newest first.
#[utoipa::path(get, path = "/api/datasets/{id}/versions", tag = "datasets", params(("id" = i64, Path)), responses((status = 200, description = "its versions", body = Vec<Version>)))]
pub(super) async fn list_versions(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Answer<Vec<Version>> {
    app.stored(move |store| store.versions(id)).await.map(Json)
}

/// Keeps a version of a dataset.
///
/// Without a note, and where nothing changed since, the newest version is enough.
#[utoipa::path(post, path = "/api/datasets/{id}/versions", tag = "datasets", params(("id" = i64, Path)), request_body = NewVersion, responses((status = 201, description = "the version that keeps the dataset as it is", body = Version)))]
pub(super) async fn keep_version(
    State(app): State<AppState>,
    Path(id): Path<i64>,
    Json(new): Json<NewVersion>,
) -> Result<(StatusCode, Json<Version>), ApiError> {
    let version = app.stored(move |store| store.keep_version(id, &new.note)).await?;
    Ok((StatusCode::CREATED, Json(version)))
}

/// Reads a version.
#[utoipa::path(get, path = "/api/datasets/{id}/versions/{number}", tag = "datasets", params(("id" = i64, Path), ("number" = u32, Path)), responses((status = 200, description = "the rows of the version", body = Vec<Row>)))]
pub(super) async fn read_version(
    State(app): State<AppState>,
    Path((id, number)): Path<(i64, u32)>,
) -> Answer<Vec<Row>> {
    app.stored(move |store| store.version_rows(id, number)).await.map(Json)
}

/// Restores a version.
///
/// Makes the version's rows the dataset's, as one batch of edits.
#[utoipa::path(post, path = "/api/datasets/{id}/versions/{number}/restore", tag = "datasets", params(("id" = i64, Path), ("number" = u32, Path)), responses((status = 200, description = "the dataset", body = Dataset)))]
pub(super) async fn restore_version(
    State(app): State<AppState>,
    Path((id, number)): Path<(i64, u32)>,
) -> Answer<Dataset> {
    app.stored(move |store| store.restore_version(id, number)).await.map(Json)
}
