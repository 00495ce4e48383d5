//! The one place where an error becomes an answer.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use weft_shared::api::problem::Problem;

/// Why a request was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("there is nothing at {0}")]
    NothingHere(String),
    #[error("the server was started without a model; start it with --model DIR")]
    NoModel,
    #[error("this server answers under the names of this machine only, not as {0:?}")]
    StrangeHost(String),
    #[error("a page of another site ({0}) asked for this")]
    StrangeOrigin(String),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NothingHere(_) | Self::NoModel => StatusCode::NOT_FOUND,
            Self::StrangeHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::StrangeOrigin(_) => StatusCode::FORBIDDEN,
        }
    }

    /// The kind, for programs and in words.
    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::NothingHere(_) => ("/problems/nothing-here", "Nothing here"),
            Self::NoModel => ("/problems/no-model", "No model"),
            Self::StrangeHost(_) => ("/problems/strange-host", "Strange host"),
            Self::StrangeOrigin(_) => ("/problems/strange-origin", "Strange origin"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let (kind, title) = self.kind();
        let problem = Problem {
            kind: kind.to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
        };
        let mut response = (status, Json(problem)).into_response();
        let form = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, form);
        response
    }
}
