//! The parts of a path that name something.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use super::ApiError;

/// As axum's own, but where a part is not of its form (`/api/datasets/x`), there is nothing at the path.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let names = axum::extract::Path::from_request_parts(parts, state).await;
        let axum::extract::Path(names) =
            names.map_err(|_| ApiError::NothingHere(parts.uri.path().to_owned()))?;
        Ok(Self(names))
    }
}
