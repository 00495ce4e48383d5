//! `/healthz` and `/api/status`: that the server runs, and what it has.

use axum::{Json, Router, extract::State, routing::get};
use weft_shared::api::status::Status;

use super::AppState;
use crate::device;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/healthz", get(healthz)).route("/api/status", get(status))
}

/// Answers while the server does.
#[utoipa::path(get, path = "/healthz", tag = "server", responses((status = 200, description = "`ok`", body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says what the server is and has.
#[utoipa::path(get, path = "/api/status", tag = "server", responses((status = 200, description = "the server", body = Status)))]
pub(super) async fn status(State(app): State<AppState>) -> Json<Status> {
    Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: app.engine.name().to_owned(),
        why_no_gpu: device::why_no_gpu().map(str::to_owned),
    })
}
