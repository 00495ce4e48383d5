//! The dataset as the page encoded it.

use crate::worker::Digested;

/// How far that is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PreviewState {
    /// Under way, or nothing to encode yet.
    #[default]
    Computing,
    /// The open vocabulary is not the model's: what it says would say nothing about a run.
    OtherVocabulary,
    Ready(Digested),
    /// Why it cannot be encoded.
    Failed(String),
}

impl PreviewState {
    /// Of the encoded dataset, in hexadecimal.
    pub fn digest(&self) -> Option<&str> {
        match self {
            Self::Ready(digested) => Some(&digested.digest),
            _ => None,
        }
    }
}
