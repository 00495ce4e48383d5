//! `/api/evaluations`: how many questions are answered as wanted, before and after.

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use weft_shared::api::{
    evaluation::{EvaluatedPair, Evaluation, NewEvaluation, Outcome},
    problem::Problem,
};

use super::{ApiError, AppState, json::Json, path::Path};
use crate::jobs::Jobs;

/// Answers that are sent where nothing else is asked for, and most that are.
const SOME: usize = 50;
const MOST: usize = 500;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/evaluations", get(list_evaluations).post(start_evaluation))
        .route("/api/evaluations/{id}", get(read_evaluation).delete(delete_evaluation))
        .route("/api/evaluations/{id}/answers", get(list_answers))
        .route("/api/evaluations/{id}/cancel", post(cancel_evaluation))
        .route("/api/evaluations/{id}/resume", post(resume_evaluation))
}

/// Lists the evaluations.
///
/// Newest first.
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

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// Only questions of this outcome.
    outcome: Option<Outcome>,
    /// Only questions behind the one of this number: the last one of the part before.
    #[serde(default)]
    after: usize,
    /// 50 without it; never more than 500.
    limit: Option<usize>,
}

/// Lists the questions that were asked, with the answers.
///
/// In the order of the questions, a part at a time; less than was asked for is the last part.
#[utoipa::path(get, path = "/api/evaluations/{id}/answers", tag = "evaluations", params(("id" = i64, Path), Part),
    responses((status = 200, description = "some questions", body = Vec<EvaluatedPair>)))]
pub(super) async fn list_answers(
    State(app): State<AppState>,
    Path(id): Path<i64>,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Vec<EvaluatedPair>>, ApiError> {
    let Query(Part { outcome, after, limit }) = part?;
    let limit = limit.unwrap_or(SOME).min(MOST);
    app.of_jobs(move |jobs| jobs.evaluated_pairs(id, after, outcome, limit)).await.map(Json)
}

/// Ends an evaluation.
///
/// What it has counted stays, and it can be resumed.
#[utoipa::path(post, path = "/api/evaluations/{id}/cancel", tag = "evaluations", params(("id" = i64, Path)),
    responses(
        (status = 200, description = "the evaluation", body = Evaluation),
        (status = 409, description = "it is over", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn cancel_evaluation(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<Json<Evaluation>, ApiError> {
    app.of_jobs(move |jobs| jobs.cancel_evaluation(id)).await.map(Json)
}

/// Queues a cancelled or failed evaluation again.
///
/// It goes on with the first question that was not counted.
#[utoipa::path(post, path = "/api/evaluations/{id}/resume", tag = "evaluations", params(("id" = i64, Path)),
    responses(
        (status = 200, description = "the evaluation", body = Evaluation),
        (status = 409, description = "it goes on, or is done", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn resume_evaluation(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<Json<Evaluation>, ApiError> {
    app.of_jobs(move |jobs| jobs.resume_evaluation(id)).await.map(Json)
}

/// Deletes an evaluation.
///
/// One that goes on ends within a few tokens.
#[utoipa::path(delete, path = "/api/evaluations/{id}", tag = "evaluations", params(("id" = i64, Path)),
    responses((status = 204, description = "it is gone")))]
pub(super) async fn delete_evaluation(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    app.of_jobs(move |jobs| jobs.delete_evaluation(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
