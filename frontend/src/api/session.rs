//! Past a server's token.

use weft_shared::api::session::NewSession;

use super::CallError;

/// The right token is answered with a cookie that opens the rest.
pub async fn open(token: String) -> Result<(), CallError> {
    super::send(gloo_net::http::Method::POST, "/api/session", Some(&NewSession { token }))
        .await
        .map(drop)
}
