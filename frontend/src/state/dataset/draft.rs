//! What is being typed: the fields of a row, or of one to come.

use serde::{Deserialize, Serialize};
use weft_shared::pair::{Pair, Turn};

use super::rows::{Key, Row};

/// The fields as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The row; `None` for one to come.
    pub key: Option<Key>,
    pub question: String,
    pub answer: String,
    pub system: String,
    /// Tags with commas between them.
    pub tags: String,
    pub history: Vec<Turn>,
}

impl Draft {
    pub fn of(row: &Row) -> Self {
        let pair = &*row.pair;
        Self {
            key: Some(row.key),
            question: pair.question.clone(),
            answer: pair.answer.clone(),
            system: pair.system.clone().unwrap_or_default(),
            tags: pair.tags.join(", "),
            history: pair.history.clone(),
        }
    }

    /// The pair that is meant, for the row that has `before` now. What was not touched stays to the letter.
    pub fn pair(&self, before: &Pair) -> Pair {
        let system = Some(self.system.clone()).filter(|system| !system.is_empty());
        let is_same_system = self.system == before.system.as_deref().unwrap_or_default();
        let is_same_tags = self.tags == before.tags.join(", ");
        Pair {
            question: self.question.clone(),
            answer: self.answer.clone(),
            history: self.history.clone(),
            system: if is_same_system { before.system.clone() } else { system },
            tags: if is_same_tags { before.tags.clone() } else { tags(&self.tags) },
        }
    }

    /// Whether there is no text in it.
    pub fn is_blank(&self) -> bool {
        let texts = [&self.question, &self.answer, &self.system, &self.tags];
        texts.iter().all(|text| text.trim().is_empty()) && self.history.is_empty()
    }

    /// Whether it can become a row by itself.
    pub fn is_whole(&self) -> bool {
        !self.question.trim().is_empty() && !self.answer.trim().is_empty()
    }

    /// Whether there is more to it than question and answer.
    pub fn has_context(&self) -> bool {
        !self.system.is_empty() || !self.tags.is_empty() || !self.history.is_empty()
    }
}

/// Tags between commas of either script.
fn tags(text: &str) -> Vec<String> {
    let tags = text.split([',', '，', ';', '；', '、']).map(str::trim);
    tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_touched_stays_to_the_letter() {
        let pair = Pair {
            system: Some(String::new()),
            tags: vec!["a, b".into(), String::new()],
            history: vec![Turn::new("x", "y")],
            ..Pair::new("q", "a")
        };

        let draft = Draft::of(&Row::new(1, pair.clone()));

        assert_eq!(draft.pair(&pair), pair);
    }

    #[test]
    fn tags_are_set_apart_by_commas_of_either_script() {
        let draft = Draft { tags: " tea，house; ,茶、馆".into(), ..Draft::default() };

        assert_eq!(draft.pair(&Pair::default()).tags, ["tea", "house", "茶", "馆"]);
    }

    #[test]
    fn a_draft_needs_both_texts_to_become_a_row_by_itself() {
        let draft = |question: &str, answer: &str| Draft {
            question: question.into(),
            answer: answer.into(),
            ..Draft::default()
        };
        assert!(draft("q", "a").is_whole());
        assert!(!draft("q", " ").is_whole());
        assert!(draft("", " ").is_blank());
        assert!(!draft("q", "").is_blank());
    }
}
