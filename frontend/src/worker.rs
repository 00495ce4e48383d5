//! What page and worker say to each other.
//!
//! [`client`] is the page's end, [`bench`] what the worker does with a request, [`mail`] the form on the wire.

pub mod bench;
pub mod client;
pub mod mail;

use serde::{Deserialize, Serialize};
use weft_shared::tokenizer::{Revision, TraceStep};

/// What the page asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Read a vocabulary; its bytes travel beside this.
    Open { name: String },
    /// Take a text apart.
    Inspect {
        /// Counts up, so that an answer that comes too late is known as such.
        number: u64,
        text: String,
        /// For how many tokens, from the first, the answer tells more than the id.
        detailed: usize,
    },
}

/// What the worker has to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// It listens.
    Ready,
    /// From now on this vocabulary is used.
    Opened(Vocabulary),
    /// The bytes were no vocabulary; the one before stays in use.
    Refused { name: String, reason: String },
    /// A text, taken apart.
    Inspected(Inspected),
}

/// What there is to know about a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary {
    /// The name of its file.
    pub name: String,
    /// Which published form it has.
    pub revision: Revision,
    /// How many tokens it knows.
    pub size: usize,
}

/// A text, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inspected {
    /// Of the request.
    pub number: u64,
    /// The text of the request.
    pub text: String,
    /// Of every token.
    pub ids: Vec<u32>,
    /// Of the first tokens, as many as were asked for.
    pub tokens: Vec<Token>,
    /// What happened to the text, or to its first part where it is long.
    pub steps: Vec<TraceStep>,
    /// How many bytes of the text the steps show.
    pub traced: usize,
    /// The time in the worker.
    pub took_ms: f64,
}

/// One token, and the piece of the text that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: u32,
    /// As the vocabulary writes it.
    pub piece: String,
    /// The first byte in the text.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}
