//! Refusals as OpenAI's clients read them: all of `/v1`.

use axum::{
    Json,
    extract::{Request, rejection::BytesRejection},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use weft_shared::api::{
    chat::{ErrorBody, ErrorDetail},
    problem::Problem,
};

use crate::{completions::CompletionError, generation::GenerationError};

/// An error of a route under `/v1`.
pub(super) struct Refusal {
    status: StatusCode,
    pub(super) body: ErrorBody,
}

impl Refusal {
    fn new(status: StatusCode, message: String, param: Option<&str>, code: Option<&str>) -> Self {
        let is_ours = status.is_server_error();
        let kind = if is_ours { "server_error" } else { "invalid_request_error" }.to_owned();
        let (param, code) = (param.map(str::to_owned), code.map(str::to_owned));
        Self { status, body: ErrorBody { error: ErrorDetail { message, kind, param, code } } }
    }

    pub(super) fn not_a_request(error: serde_json::Error) -> Self {
        let message = format!("the body is no chat request: {error}");
        Self::new(StatusCode::BAD_REQUEST, message, None, None)
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text(), None, None)
    }
}

impl From<&Problem> for Refusal {
    fn from(problem: &Problem) -> Self {
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let code = (status == StatusCode::UNAUTHORIZED).then_some("invalid_api_key");
        Self::new(status, problem.detail.clone(), None, code)
    }
}

impl From<CompletionError> for Refusal {
    fn from(error: CompletionError) -> Self {
        let message = error.to_string();
        let (status, param, code) = match &error {
            CompletionError::NoModel { .. } => {
                (StatusCode::NOT_FOUND, Some("model"), Some("model_not_found"))
            }
            CompletionError::OtherModel { .. } => (StatusCode::CONFLICT, Some("model"), None),
            CompletionError::Field { field, .. } => (StatusCode::BAD_REQUEST, Some(*field), None),
            CompletionError::Generation(GenerationError::PromptTooLong { .. }) => {
                (StatusCode::BAD_REQUEST, Some("messages"), Some("context_length_exceeded"))
            }
            CompletionError::Generation(GenerationError::Sampling(invalid)) => {
                (StatusCode::BAD_REQUEST, Some(invalid.name), None)
            }
            CompletionError::Generation(GenerationError::Prompt(_)) => {
                (StatusCode::BAD_REQUEST, Some("messages"), None)
            }
            CompletionError::Busy { .. }
            | CompletionError::Ending
            | CompletionError::Generation(GenerationError::Memory(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, None, None)
            }
            CompletionError::Generation(GenerationError::Compute(_) | GenerationError::Broken)
            | CompletionError::Store(_)
            | CompletionError::Engine(_)
            | CompletionError::Thread(_)
            | CompletionError::Broken => {
                tracing::error!("{error:?}");
                (StatusCode::INTERNAL_SERVER_ERROR, None, None)
            }
        };
        Self::new(status, message, param, code)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

/// Puts the problems that others found with a request under `/v1`, the guard for example, in this form.
pub(super) async fn translate(request: Request, next: Next) -> Response {
    let is_openai = request.uri().path().starts_with("/v1/");
    let response = next.run(request).await;
    if !is_openai {
        return response;
    }
    let Some(refusal) = response.extensions().get::<Problem>().map(Refusal::from) else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts.headers, refusal).into_response()
}
