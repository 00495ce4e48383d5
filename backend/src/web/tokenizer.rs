//! `/api/tokenizer`: the tokenizer of the model, for the page's worker.

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};

use super::{ApiError, AppState};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/tokenizer", get(tokenizer))
}

async fn tokenizer(State(app): State<AppState>) -> Result<impl IntoResponse, ApiError> {
    let model = app.model.ok_or(ApiError::NoModel)?;
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, model.tokenizer))
}
