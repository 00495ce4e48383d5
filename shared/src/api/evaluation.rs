//! How many questions of a dataset are answered as wanted, without and with an adapter.

use serde::{Deserialize, Serialize};

use super::{chat::ChatTemplate, job::JobState};
use crate::score::Scores;

/// `POST /api/evaluations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewEvaluation {
    pub dataset: i64,
    /// A version of the dataset; without it the dataset as it is now, which is kept as a version.
    #[serde(default)]
    pub version: Option<u32>,
    /// Answers beside the base.
    #[serde(default)]
    pub adapter: Option<String>,
    /// Ask the first so many questions only.
    #[serde(default)]
    pub limit: Option<usize>,
    /// How a question without history is put to both.
    #[serde(default = "default_template")]
    pub template: ChatTemplate,
    /// Most tokens of an answer.
    #[serde(default = "default_max_tokens")]
    pub max_tokens: usize,
}

/// `GET /api/evaluations/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evaluation {
    pub id: i64,
    /// Never `cancelled`: one that is not wanted any more is deleted.
    pub state: JobState,
    pub created_ms: u64,
    pub ended_ms: Option<u64>,
    /// Why it failed, and what to do.
    pub error: Option<String>,
    /// What was asked for, with the version that it became and the adapter's name of today.
    pub request: NewEvaluation,
    pub dataset_name: String,
    /// How many there are to ask.
    pub questions: usize,
    /// Of the questions asked so far.
    pub result: EvaluationResult,
}

/// Counts, and what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvaluationResult {
    pub base: Scores,
    /// Where there is an adapter, from the first answer on.
    pub adapter: Option<Scores>,
    /// The first hundred questions that the adapter, or where there is none the base, answered otherwise than wanted; empty in
    /// a list of evaluations.
    pub wrong: Vec<WrongAnswer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WrongAnswer {
    pub question: String,
    pub wanted: String,
    pub base: String,
    pub adapter: Option<String>,
}

fn default_template() -> ChatTemplate {
    ChatTemplate::Training
}

fn default_max_tokens() -> usize {
    64
}
