//! `/api/model`: the model that is served.

use axum::{Router, extract::State, routing::get};
use weft_shared::api::model::ModelInfo;

use super::{AppState, json::Json};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/model", get(model))
}

/// Says what is known of the model that is served.
#[utoipa::path(get, path = "/api/model", tag = "model",
    responses((status = 200, description = "the model", body = ModelInfo)))]
pub(super) async fn model(State(app): State<AppState>) -> Json<ModelInfo> {
    Json(app.engine.info())
}
