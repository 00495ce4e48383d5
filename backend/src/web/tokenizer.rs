//! `/api/tokenizer`: the tokenizer of the model, for the page's worker.

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};

use super::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/tokenizer", get(tokenizer))
}

/// Gives the tokenizer of the model, in a form of the page's own.
#[utoipa::path(get, path = "/api/tokenizer", tag = "model",
    responses((status = 200, description = "the tokenizer", body = Vec<u8>, content_type = "application/octet-stream")))]
pub(super) async fn tokenizer(State(app): State<AppState>) -> impl IntoResponse {
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, app.tokenizer)
}
