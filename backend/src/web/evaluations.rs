//! `/api/evaluations`: how many questions are answered as wanted, before and after.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use weft_shared::api::{
    evaluation::{Evaluation, NewEvaluation},
    problem::Problem,
};

use super::{ApiError, AppState, json::Json, path::Path};
use crate::jobs::Jobs;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/evaluations", get(list_evaluations).post(start_evaluation))
        .route("/api/evaluations/{id}", get(read_evaluation).delete(delete_evaluation))
}

/// Lists the evaluations.
///
/// Newest first, and without the wrong answers.
#[utoipa::path(get, path = "/api/evaluations", tag = "evaluations",
    responses((status = 200, description = "all evaluations", body = Vec<Evaluation>)))]
pub(super) async fn list_evaluations(
    State(app): State<AppState>,
) -> Result<Json<Vec<Evaluation>>, ApiError> {
    app.of_jobs(Jobs::evaluations).await.map(Json)
}

/// Queues an evaluation.
///
/// Every question of the dataset is answered greedily, by the base and by the adapter; an answer is right when it is the pair's, but for case, width, white space and the punctuation at its end. It goes on beside chats and runs.
#[utoipa::path(post, path = "/api/evaluations", tag = "evaluations", request_body = NewEvaluation,
    responses(
        (status = 201, description = "the new evaluation", body = Evaluation),
        (status = 422, description = "there is nothing to ask, or the adapter is of another model", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn start_evaluation(
    State(app): State<AppState>,
    Json(new): Json<NewEvaluation>,
) -> Result<(StatusCode, Json<Evaluation>), ApiError> {
    let evaluation = app.of_jobs(move |jobs| jobs.evaluate(&new)).await?;
    Ok((StatusCode::CREATED, Json(evaluation)))
}

/// Reads how far an evaluation is, and what it has counted.
#[utoipa::path(get, path = "/api/evaluations/{id}", tag = "evaluations", params(("id" = i64, Path)),
    responses((status = 200, description = "the evaluation", body = Evaluation)))]
pub(super) async fn read_evaluation(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<Json<Evaluation>, ApiError> {
    app.of_jobs(move |jobs| jobs.evaluation(id)).await.map(Json)
}

/// Deletes an evaluation.
///
/// One that goes on ends before its next question.
#[utoipa::path(delete, path = "/api/evaluations/{id}", tag = "evaluations", params(("id" = i64, Path)),
    responses((status = 204, description = "it is gone")))]
pub(super) async fn delete_evaluation(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    app.of_jobs(move |jobs| jobs.delete_evaluation(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
