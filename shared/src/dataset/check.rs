//! What a person should know about a dataset before training on it.

use std::borrow::Borrow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::pair::Pair;
use crate::sample::Fit;

/// Something about one pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// Index of the pair.
    pub pair: usize,
    #[serde(flatten)]
    pub kind: FindingKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FindingKind {
    #[error("the question is empty")]
    EmptyQuestion,
    /// Only `<eop>` would be learned.
    #[error("the answer is empty: only the end token would be learned")]
    EmptyAnswer,
    /// Question, answer, history and system text are those of the earlier pair.
    #[error("the same as pair {}", of + 1)]
    Duplicate { of: usize },
    /// The tokenizer reads it as structure, not as text: `[MASK]` or `<sop>` in a question move every position.
    #[error("the text holds `{token}`, which the tokenizer may read as a special token")]
    SpecialToken { token: String },
    #[error("the question has {fit}")]
    LongQuestion { fit: Fit },
    /// When such an answer is cut, `<eop>` still follows: the model learns to stop in the middle of a sentence.
    #[error("the answer has {fit}")]
    LongAnswer { fit: Fit },
}

/// Texts that at least one published tokenizer takes for a token of its own.
const SPECIAL_TEXTS: &[&str] = &[
    "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<pad>", "<unk>", "<s>", "</s>", "<n>",
    "<|tab|>", "<|blank_",
];

/// What the texts alone tell: empty ones, duplicates, special tokens.
pub fn check_text<P: Borrow<Pair>>(pairs: &[P]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = HashMap::new();
    for (index, pair) in pairs.iter().map(Borrow::borrow).enumerate() {
        let mut found = |kind| findings.push(Finding { pair: index, kind });
        if pair.question.trim().is_empty() {
            found(FindingKind::EmptyQuestion);
        }
        if pair.answer.trim().is_empty() {
            found(FindingKind::EmptyAnswer);
        }
        let content = (&pair.question, &pair.answer, &pair.system, pair.history.as_slice());
        match seen.get(&content) {
            Some(&of) => found(FindingKind::Duplicate { of }),
            None => drop(seen.insert(content, index)),
        }
        // Each of them begins with one of the two, and few texts have either.
        if !texts(pair).any(|text| text.contains(['[', '<'])) {
            continue;
        }
        for token in
            SPECIAL_TEXTS.iter().filter(|token| texts(pair).any(|text| text.contains(**token)))
        {
            found(FindingKind::SpecialToken { token: (*token).to_owned() });
        }
    }
    findings
}

/// What the lengths of an encoded pair tell; they are in its `Encoded`, or in the error of a dropped one.
pub fn check_fit(question: Fit, answer: Fit) -> impl Iterator<Item = FindingKind> {
    let question = question.is_cut().then_some(FindingKind::LongQuestion { fit: question });
    let answer = answer.is_cut().then_some(FindingKind::LongAnswer { fit: answer });
    question.into_iter().chain(answer)
}

fn texts(pair: &Pair) -> impl Iterator<Item = &str> {
    let history =
        pair.history.iter().flat_map(|turn| [turn.question.as_str(), turn.answer.as_str()]);
    history.chain(pair.system.as_deref()).chain([pair.question.as_str(), pair.answer.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::Turn;

    #[test]
    fn each_fault_is_found() {
        let pairs = [
            Pair::new("q", "a"),
            Pair::new(" ", "a"),
            Pair::new("q", ""),
            Pair { tags: vec!["other".into()], ..Pair::new("q", "a") },
            Pair { history: vec![Turn::new("x", "y")], ..Pair::new("q", "a") },
            Pair { history: vec![Turn::new("fill [MASK]", "y")], ..Pair::new("q", "a") },
        ];

        let findings = check_text(&pairs);

        let wanted = [
            (1, FindingKind::EmptyQuestion),
            (2, FindingKind::EmptyAnswer),
            (3, FindingKind::Duplicate { of: 0 }),
            (5, FindingKind::SpecialToken { token: "[MASK]".into() }),
        ];
        assert_eq!(findings, wanted.map(|(pair, kind)| Finding { pair, kind }));
    }

    #[test]
    fn lengths_over_the_limit_are_found() {
        let (fits, long) = (Fit { tokens: 3, limit: 3 }, Fit { tokens: 4, limit: 3 });

        assert_eq!(check_fit(fits, fits).count(), 0);
        assert_eq!(
            check_fit(fits, long).collect::<Vec<_>>(),
            [FindingKind::LongAnswer { fit: long }]
        );
        assert_eq!(
            check_fit(long, fits).next().unwrap().to_string(),
            "the question has 4 of at most 3 tokens"
        );
    }

    #[test]
    fn json_names_the_kind() {
        let finding = Finding { pair: 3, kind: FindingKind::Duplicate { of: 0 } };

        assert_eq!(
            serde_json::to_string(&finding).unwrap(),
            r#"{"pair":3,"kind":"duplicate","of":0}"#
        );
    }
}
