//! `/api/adapters`: what was trained here.

use std::io::{self, Cursor, Write as _};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, patch},
};
use weft_shared::api::{adapter::AdapterInfo, dataset::Rename};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{ApiError, AppState, json::Json, path::Path};
use crate::{
    jobs::ADAPTER_FILES,
    store::{AdapterRecord, Store},
};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/adapters", get(list_adapters))
        .route("/api/adapters/{name}", patch(rename_adapter).delete(delete_adapter))
        .route("/api/adapters/{name}/download", get(download_adapter))
}

/// Lists the adapters.
///
/// Newest first.
#[utoipa::path(get, path = "/api/adapters", tag = "adapters",
    responses((status = 200, description = "all adapters", body = Vec<AdapterInfo>)))]
pub(super) async fn list_adapters(
    State(app): State<AppState>,
) -> Result<Json<Vec<AdapterInfo>>, ApiError> {
    let adapters = app.stored(Store::adapters).await?;
    let info = |it: AdapterRecord| it.info(app.engine.fingerprint());
    Ok(Json(adapters.into_iter().map(info).collect()))
}

/// Renames an adapter.
#[utoipa::path(patch, path = "/api/adapters/{name}", tag = "adapters", params(("name" = String, Path)), request_body = Rename,
    responses((status = 200, description = "the renamed adapter", body = AdapterInfo)))]
pub(super) async fn rename_adapter(
    State(app): State<AppState>,
    Path(name): Path<String>,
    Json(new): Json<Rename>,
) -> Result<Json<AdapterInfo>, ApiError> {
    let renamed = app.stored(move |store| store.rename_adapter(&name, &new.name)).await?;
    Ok(Json(renamed.info(app.engine.fingerprint())))
}

/// Deletes an adapter.
#[utoipa::path(delete, path = "/api/adapters/{name}", tag = "adapters", params(("name" = String, Path)),
    responses((status = 204, description = "it is gone")))]
pub(super) async fn delete_adapter(
    State(app): State<AppState>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.of_jobs(move |jobs| jobs.delete_adapter(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an adapter's files in PEFT's form.
#[utoipa::path(get, path = "/api/adapters/{name}/download", tag = "adapters", params(("name" = String, Path)),
    responses((status = 200, description = "both of PEFT's files in one", body = Vec<u8>, content_type = "application/zip")))]
pub(super) async fn download_adapter(
    State(app): State<AppState>,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let asked = name.clone();
    let adapter = app.stored(move |store| store.adapter(&asked)).await?;
    let files = app.of_jobs(move |jobs| jobs.adapter_files(adapter.id)).await?;
    let archive = archive(files).map_err(|_| ApiError::Ended)?;
    // Names may have letters of any script, which a header may not.
    let file = format!("attachment; filename*=UTF-8''{}.zip", percent_encoded(&name));
    let headers =
        [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, archive))
}

/// Weights hardly get smaller, so they are stored as they are.
fn archive(files: [Vec<u8>; 2]) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in ADAPTER_FILES.into_iter().zip(files) {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Every byte but letters, digits, `-`, `_` and `.`, as RFC 5987 wants it.
fn percent_encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}
