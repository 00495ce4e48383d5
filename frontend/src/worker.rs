//! What page and worker say to each other.
//!
//! [`client`] is the page's end, [`bench`] what the worker does with a request, [`mail`] the form on the wire.

mod abridged;
pub mod bench;
pub mod client;
pub mod mail;

use serde::{Deserialize, Serialize};
use weft_shared::{
    pair::Pair,
    sample::{Encoded, Fit, SampleError, SampleOptions, SourcedToken},
    tokenizer::{Revision, TraceStep},
};

/// What the page asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Read a vocabulary; its bytes travel beside this.
    Open { name: String },
    /// Make the training sample of a pair, and say where each of its tokens comes from.
    Sample {
        /// Counts up, so that an answer that comes too late is known as such.
        number: u64,
        pair: Pair,
        options: SampleOptions,
        /// For how many tokens, from the first, the answer tells more than the id.
        detailed: usize,
    },
    /// Count the tokens of pairs.
    Measure { pairs: Vec<Pair>, options: SampleOptions },
    /// Encode a whole dataset as a run would, and give its digest.
    Digest { pairs: Vec<Pair>, options: SampleOptions },
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
    /// A pair's sample.
    Sampled(Box<Sampled>),
    /// Of each pair, in their order.
    Measured(Vec<Measure>),
    /// Of the encoded dataset in hexadecimal; or why it cannot be encoded at all.
    Digested(Result<Digested, String>),
}

/// A pair as the model is trained on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// Of the request.
    pub number: u64,
    /// The pair of the request.
    pub pair: Pair,
    /// The sample, or why there is none; before the first request neither.
    pub outcome: Option<Result<Encoded, Refusal>>,
    /// All that the tokens stand for.
    pub text: String,
    /// In the order of the text: of the sample as many as were asked for, and next to a cut some that were cut.
    pub tokens: Vec<SourcedToken>,
    /// What happened to the question in its template, and to the answer.
    pub question_steps: Steps,
    pub answer_steps: Steps,
    /// The time in the worker.
    pub took_ms: f64,
}

impl Sampled {
    /// What there is to say of a pair without a vocabulary.
    pub fn empty(number: u64, pair: Pair) -> Self {
        Self {
            number,
            pair,
            outcome: None,
            text: String::new(),
            tokens: Vec::new(),
            question_steps: Steps::default(),
            answer_steps: Steps::default(),
            took_ms: 0.0,
        }
    }

    /// The sample, if there is one.
    pub fn encoded(&self) -> Option<&Encoded> {
        self.outcome.as_ref()?.as_ref().ok()
    }

    /// Why there is no sample.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.outcome.as_ref()?.as_ref().err()
    }
}

/// Why a pair gives no sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The options leave no token for a question.
    NoRoomForQuestion,
    /// The options leave no token for an answer.
    NoRoomForAnswer,
    /// It is longer than it may be, and longer pairs are to be dropped.
    TooLong { question: Fit, answer: Fit },
    /// In the tokenizer's own words.
    Other(String),
}

impl From<SampleError> for Refusal {
    fn from(error: SampleError) -> Self {
        match error {
            SampleError::NoRoomForQuestion { .. } => Self::NoRoomForQuestion,
            SampleError::NoRoomForAnswer => Self::NoRoomForAnswer,
            SampleError::TooLong { question, answer } => Self::TooLong { question, answer },
            other => Self::Other(other.to_string()),
        }
    }
}

/// How a text became tokens, or its first part where it is long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    pub steps: Vec<TraceStep>,
    /// Whether they show only the first part.
    pub is_cut: bool,
}

/// How long the two parts of a pair are, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// The prompt with its template, without the separator.
    pub question: Fit,
    /// The answer, without `<eop>`.
    pub answer: Fit,
    /// Tokens of the sample; 0 where the pair gives none.
    pub sample: usize,
}

/// What a run with these pairs would be trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    pub digest: String,
    /// How many pairs give a sample.
    pub samples: usize,
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
