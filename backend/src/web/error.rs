//! The one place where an error becomes an answer.

use axum::{
    Json,
    extract::rejection::{JsonRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use weft_shared::api::problem::Problem;

use crate::{causes::with_causes, jobs::JobsError, store::StoreError};

/// Why a request was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("there is nothing at {0}")]
    NothingHere(String),
    #[error("{path} does not answer {method}")]
    WrongMethod { method: String, path: String },
    #[error(
        "this server does not answer as {0:?}; open it by an address of this machine, or start it with --allowed-host"
    )]
    StrangeHost(String),
    #[error("a page of another site ({0}) asked for this")]
    StrangeOrigin(String),
    #[error(
        "the token that the server was started with is needed: enter it in the page, or send it as \
             `Authorization: Bearer TOKEN`"
    )]
    NoToken,
    #[error("this is not the token that the server was started with")]
    WrongToken,
    #[error("{}", .0.body_text())]
    Body(#[from] JsonRejection),
    #[error("{}", .0.body_text())]
    Query(#[from] QueryRejection),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Jobs(JobsError),
    /// A mistake in the program.
    #[error("a part of the server ended before it had answered")]
    Ended,
}

impl From<JobsError> for ApiError {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::Store(error) => Self::Store(error),
            error => Self::Jobs(error),
        }
    }
}

/// What kind of problem an error is: the same for all errors of the kind.
struct Kind {
    status: StatusCode,
    /// For programs.
    path: &'static str,
    title: &'static str,
}

const fn kind(status: StatusCode, path: &'static str, title: &'static str) -> Kind {
    Kind { status, path, title }
}

const NOTHING_HERE: Kind = kind(StatusCode::NOT_FOUND, "/problems/nothing-here", "Nothing here");
const WRONG_METHOD: Kind =
    kind(StatusCode::METHOD_NOT_ALLOWED, "/problems/wrong-method", "Wrong method");
const STRANGE_HOST: Kind =
    kind(StatusCode::MISDIRECTED_REQUEST, "/problems/strange-host", "Strange host");
const STRANGE_ORIGIN: Kind =
    kind(StatusCode::FORBIDDEN, "/problems/strange-origin", "Strange origin");
const NO_TOKEN: Kind = kind(StatusCode::UNAUTHORIZED, "/problems/no-token", "No token");
const WRONG_TOKEN: Kind = kind(StatusCode::UNAUTHORIZED, "/problems/wrong-token", "Wrong token");
const NOT_JSON: Kind = kind(StatusCode::BAD_REQUEST, "/problems/not-json", "Not JSON");
const NOT_SAID_TO_BE_JSON: Kind =
    kind(StatusCode::UNSUPPORTED_MEDIA_TYPE, "/problems/not-json", "Not JSON");
const WRONG_FORM: Kind =
    kind(StatusCode::UNPROCESSABLE_ENTITY, "/problems/wrong-form", "Wrong form");
const WRONG_QUERY: Kind = kind(StatusCode::BAD_REQUEST, "/problems/wrong-query", "Wrong query");
const TOO_LARGE: Kind = kind(StatusCode::PAYLOAD_TOO_LARGE, "/problems/too-large", "Too large");
const NOT_FOUND: Kind = kind(StatusCode::NOT_FOUND, "/problems/not-found", "Not found");
const STALE: Kind = kind(StatusCode::CONFLICT, "/problems/stale", "Changed elsewhere");
const NAME_TAKEN: Kind = kind(StatusCode::CONFLICT, "/problems/name-taken", "Name taken");
const JOB_STATE: Kind =
    kind(StatusCode::CONFLICT, "/problems/job-state", "Not in this state of the job");
const EVALUATION_STATE: Kind =
    kind(StatusCode::CONFLICT, "/problems/evaluation-state", "Not in this state of the evaluation");
const CHECK: Kind =
    kind(StatusCode::UNPROCESSABLE_ENTITY, "/problems/check", "The check speaks against it");
const DIVERGES: Kind =
    kind(StatusCode::UNPROCESSABLE_ENTITY, "/problems/diverges", "The run diverges");
const BAD_NAME: Kind = kind(StatusCode::UNPROCESSABLE_ENTITY, "/problems/bad-name", "Bad name");
const BAD_EDIT: Kind = kind(StatusCode::UNPROCESSABLE_ENTITY, "/problems/bad-edit", "Bad edit");
const INTERNAL: Kind =
    kind(StatusCode::INTERNAL_SERVER_ERROR, "/problems/internal", "The server could not do it");

impl ApiError {
    fn kind(&self) -> Kind {
        match self {
            Self::NothingHere(_) => NOTHING_HERE,
            Self::WrongMethod { .. } => WRONG_METHOD,
            Self::StrangeHost(_) => STRANGE_HOST,
            Self::StrangeOrigin(_) => STRANGE_ORIGIN,
            Self::NoToken => NO_TOKEN,
            Self::WrongToken => WRONG_TOKEN,
            Self::Body(rejection) => of_body(rejection),
            Self::Query(_) => WRONG_QUERY,
            Self::Store(error) => of_store(error),
            Self::Jobs(JobsError::Refused(_)) => CHECK,
            Self::Jobs(JobsError::Diverged { .. }) => DIVERGES,
            Self::Jobs(JobsError::NotResumable { .. }) => JOB_STATE,
            Self::Jobs(_) | Self::Ended => INTERNAL,
        }
    }

    /// The error and what is behind it; what happened inside the server is for its log.
    fn detail(&self, status: StatusCode) -> String {
        match self {
            _ if status == StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!("{}", with_causes(self));
                "the server's log says why".to_owned()
            }
            Self::Jobs(error) => error.advice(),
            error => error.to_string(),
        }
    }
}

fn of_body(rejection: &JsonRejection) -> Kind {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => NOT_SAID_TO_BE_JSON,
        StatusCode::UNPROCESSABLE_ENTITY => WRONG_FORM,
        _ => NOT_JSON,
    }
}

fn of_store(error: &StoreError) -> Kind {
    match error {
        StoreError::NoDataset(_)
        | StoreError::NoVersion { .. }
        | StoreError::NoJob(_)
        | StoreError::NoAdapter(_)
        | StoreError::NoEvaluation(_)
        | StoreError::NoConversation(_) => NOT_FOUND,
        StoreError::Stale { .. } => STALE,
        StoreError::NameTaken(_) => NAME_TAKEN,
        StoreError::JobGoesOn(_) | StoreError::JobIsOver(_) => JOB_STATE,
        StoreError::EvaluationIsOver(_) | StoreError::EvaluationNotResumable { .. } => {
            EVALUATION_STATE
        }
        StoreError::BadName { .. } => BAD_NAME,
        StoreError::NoRow(_) | StoreError::RowExists(_) => BAD_EDIT,
        StoreError::PairTooLarge { .. } => TOO_LARGE,
        StoreError::NotFinite
        | StoreError::Newer
        | StoreError::Unopened { .. }
        | StoreError::Migration(_)
        | StoreError::Database(_)
        | StoreError::Json(_) => INTERNAL,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Kind { status, path, title } = self.kind();
        let problem = Problem {
            kind: path.to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail(status),
            findings: match self {
                Self::Jobs(JobsError::Refused(findings)) => findings,
                _ => Vec::new(),
            },
        };
        let mut response = (status, Json(&problem)).into_response();
        let form = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, form);
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        // For the routes that say it in another form.
        response.extensions_mut().insert(problem);
        response
    }
}
