//! `/api/session`: a browser shows the token once and has a cookie from then on.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use weft_shared::api::session::NewSession;

use super::{ApiError, AppState, json::Json};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/session", post(begin_session))
}

/// Takes the token of the server, and gives a cookie that opens it.
///
/// For browsers; other clients send `Authorization: Bearer TOKEN`. A server without a token needs neither.
#[utoipa::path(post, path = "/api/session", tag = "server", request_body = NewSession,
    responses((status = 204, description = "the cookie, in `Set-Cookie`")))]
pub(super) async fn begin_session(
    State(app): State<AppState>,
    headers: HeaderMap,
    Json(new): Json<NewSession>,
) -> Result<Response, ApiError> {
    if !app.access.needs_token() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let is_secure =
        headers.get(header::ORIGIN).is_some_and(|it| it.as_bytes().starts_with(b"https:"));
    let cookie = app.access.session(&new.token, is_secure).ok_or(ApiError::WrongToken)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
