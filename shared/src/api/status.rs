//! What the server is and has.

use serde::{Deserialize, Serialize};

/// The answer of `/api/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Of the program, for example `0.1.0`.
    pub version: String,
    /// The name of the model whose tokenizer `/api/tokenizer` gives, where one was opened.
    pub model: Option<String>,
}
