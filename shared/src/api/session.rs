//! How a browser gets past a server's token.

use serde::{Deserialize, Serialize};

/// `POST /api/session`: the right token is answered with a cookie that opens the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    pub token: String,
}
