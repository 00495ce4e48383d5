//! Evaluations: how many questions are answered as wanted.

use weft_shared::api::evaluation::{EvaluatedPair, Evaluation, NewEvaluation, Outcome};

use super::CallError;

/// Newest first.
pub async fn list() -> Result<Vec<Evaluation>, CallError> {
    super::get("/api/evaluations").await
}

pub async fn start(new: &NewEvaluation) -> Result<Evaluation, CallError> {
    super::post("/api/evaluations", new).await
}

/// Up to `limit` questions with their answers, behind the question `after`.
pub async fn answers(
    id: i64,
    outcome: Option<Outcome>,
    after: usize,
    limit: usize,
) -> Result<Vec<EvaluatedPair>, CallError> {
    let outcome = outcome.map(|it| format!("&outcome={}", it.name())).unwrap_or_default();
    super::get(&format!("/api/evaluations/{id}/answers?after={after}&limit={limit}{outcome}")).await
}

/// Ends it; what it has counted stays.
pub async fn cancel(id: i64) -> Result<Evaluation, CallError> {
    super::post(&format!("/api/evaluations/{id}/cancel"), &()).await
}

/// Queues a cancelled or failed one again.
pub async fn resume(id: i64) -> Result<Evaluation, CallError> {
    super::post(&format!("/api/evaluations/{id}/resume"), &()).await
}

pub async fn delete(id: i64) -> Result<(), CallError> {
    super::delete(&format!("/api/evaluations/{id}")).await
}
