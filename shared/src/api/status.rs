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
    /// Why no GPU is used, for example that a library is missing; absent where one is, none was wanted, or the program
    /// has no GPU engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_no_gpu: Option<String>,
}
