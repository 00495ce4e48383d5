//! How many questions of a dataset are answered as wanted, without and with an adapter.

use serde::{Deserialize, Serialize};

use super::{chat::ChatTemplate, job::JobState};
use crate::{pair::Pair, score::Scores};

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

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvaluationResult {
    pub base: Scores,
    /// Where there is an adapter, from the first answer on.
    pub adapter: Option<Scores>,
    /// Questions by what became of them; zeros where an older Weft evaluated.
    #[serde(default)]
    pub outcomes: Outcomes,
}

/// What the adapter made of a question. Where there is none, the base is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The base and the adapter answered as wanted.
    Right,
    /// Neither did.
    Wrong,
    /// The adapter did, the base did not.
    Learned,
    /// The base did, the adapter did not.
    Forgotten,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::Learned, Self::Forgotten, Self::Wrong, Self::Right];

    pub fn new(base_is_right: bool, adapter_is_right: Option<bool>) -> Self {
        match (base_is_right, adapter_is_right.unwrap_or(base_is_right)) {
            (true, true) => Self::Right,
            (false, false) => Self::Wrong,
            (false, true) => Self::Learned,
            (true, false) => Self::Forgotten,
        }
    }

    /// As it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Learned => "learned",
            Self::Forgotten => "forgotten",
        }
    }
}

/// How many questions had which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outcomes {
    pub right: usize,
    pub wrong: usize,
    pub learned: usize,
    pub forgotten: usize,
}

impl Outcomes {
    pub fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Right => &mut self.right,
            Outcome::Wrong => &mut self.wrong,
            Outcome::Learned => &mut self.learned,
            Outcome::Forgotten => &mut self.forgotten,
        } += 1;
    }

    pub fn of(self, outcome: Outcome) -> usize {
        match outcome {
            Outcome::Right => self.right,
            Outcome::Wrong => self.wrong,
            Outcome::Learned => self.learned,
            Outcome::Forgotten => self.forgotten,
        }
    }

    /// Questions that were asked.
    pub fn all(self) -> usize {
        Outcome::ALL.into_iter().map(|outcome| self.of(outcome)).sum()
    }
}

/// One line of `GET /api/evaluations/{id}/answers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvaluatedPair {
    /// Counted from 1 in the order of the questions.
    pub number: usize,
    pub pair: Pair,
    pub base: EvaluatedAnswer,
    /// Where there is an adapter.
    pub adapter: Option<EvaluatedAnswer>,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvaluatedAnswer {
    pub text: String,
    pub is_right: bool,
}

fn default_template() -> ChatTemplate {
    ChatTemplate::Training
}

fn default_max_tokens() -> usize {
    64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_compares_base_and_adapter() {
        for (base, adapter, outcome) in [
            (true, Some(true), Outcome::Right),
            (true, Some(false), Outcome::Forgotten),
            (false, Some(true), Outcome::Learned),
            (false, Some(false), Outcome::Wrong),
            (true, None, Outcome::Right),
            (false, None, Outcome::Wrong),
        ] {
            assert_eq!(Outcome::new(base, adapter), outcome);
        }
    }

    #[test]
    fn each_outcome_is_counted_by_itself_and_sent_by_its_name() {
        let mut outcomes = Outcomes::default();
        for (times, outcome) in Outcome::ALL.into_iter().enumerate() {
            (0..=times).for_each(|_| outcomes.add(outcome));

            assert_eq!(outcomes.of(outcome), times + 1);
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
        }
        assert_eq!(outcomes.all(), 1 + 2 + 3 + 4);
    }
}
