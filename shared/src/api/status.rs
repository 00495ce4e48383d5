//! What the server is and has.

use serde::{Deserialize, Serialize};

/// The answer of `GET /api/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// Of the program, for example `0.1.0`.
    pub version: String,
    /// The name of the model that is served; `GET /api/model` says more, `GET /api/tokenizer` gives its tokenizer.
    pub model: String,
}
