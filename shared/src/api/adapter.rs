//! The adapters of a server.

use serde::{Deserialize, Serialize};

/// One line of `GET /api/adapters`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdapterInfo {
    /// Unique; letters, digits, `-`, `_` and `.`. In chat the model is `BASE:NAME`.
    pub name: String,
    pub created_ms: u64,
    /// The run that made it.
    pub job: Option<i64>,
    pub dataset_name: Option<String>,
    pub dataset_version: Option<u32>,
    pub r: usize,
    pub alpha: f64,
    pub target_modules: Vec<String>,
    pub size_bytes: u64,
    /// Of the model it was made for.
    pub model_fingerprint: String,
    /// Whether that is the model that is served.
    pub is_usable: bool,
}
