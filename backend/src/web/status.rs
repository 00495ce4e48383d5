//! `/healthz` and `/api/status`: that the server runs, and what it has.

use axum::{Json, Router, extract::State, routing::get};
use weft_shared::api::status::Status;

use super::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/healthz", get(healthz)).route("/api/status", get(status))
}

/// Answers while the server does.
async fn healthz() -> &'static str {
    "ok\n"
}

async fn status(State(app): State<AppState>) -> Json<Status> {
    Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: app.model.map(|model| model.name),
    })
}
