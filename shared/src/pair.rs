//! What is learned: a question and the answer wanted for it.

use serde::{Deserialize, Serialize};

/// One example to learn from.
///
/// This is also Weft's own record in JSON: empty optional fields are left out, so the shortest record is
/// `{"question":"…","answer":"…"}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pair {
    pub question: String,
    pub answer: String,
    /// What was said before the question, oldest turn first. It is read and never learned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<String>>))]
    pub history: Vec<Turn>,
    /// An instruction for the whole conversation. ChatGLM-6B has no role for it, so it is put before the first
    /// question, on a line of its own ([`Pair::conversation`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Words for people to sort pairs by. They never reach the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// A question that was answered earlier in the conversation; in JSON `["question", "answer"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(String, String)", into = "(String, String)")]
pub struct Turn {
    pub question: String,
    pub answer: String,
}

impl Turn {
    pub fn new(question: impl Into<String>, answer: impl Into<String>) -> Self {
        Self { question: question.into(), answer: answer.into() }
    }
}

impl From<(String, String)> for Turn {
    fn from((question, answer): (String, String)) -> Self {
        Self { question, answer }
    }
}

impl From<Turn> for (String, String) {
    fn from(turn: Turn) -> Self {
        (turn.question, turn.answer)
    }
}

impl Pair {
    /// A pair without history, system text or tags.
    pub fn new(question: impl Into<String>, answer: impl Into<String>) -> Self {
        Self { question: question.into(), answer: answer.into(), ..Self::default() }
    }

    /// History and question as the model reads them: the system text is the first line of the first question.
    pub fn conversation(&self) -> (Vec<Turn>, String) {
        let mut history = self.history.clone();
        let mut question = self.question.clone();
        if let Some(system) = self.system.as_deref().filter(|system| !system.is_empty()) {
            let first = history.first_mut().map_or(&mut question, |turn| &mut turn.question);
            *first = format!("{system}\n{first}");
        }
        (history, question)
    }

    /// One pair for every answer of the conversation, each with what was said before it.
    ///
    /// A file of conversations is read as one pair each, whose answer is the last one: nothing is learned twice
    /// and writing gives the conversation back. Who wants to learn every answer calls this.
    pub fn every_answer(&self) -> Vec<Pair> {
        let earlier = self.history.iter().enumerate().map(|(n, turn)| Pair {
            question: turn.question.clone(),
            answer: turn.answer.clone(),
            history: self.history[..n].to_vec(),
            system: self.system.clone(),
            tags: self.tags.clone(),
        });
        earlier.chain([self.clone()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_text_is_the_first_line_of_the_first_question() {
        let alone = Pair { system: Some("Be brief.".into()), ..Pair::new("Why?", "So.") };
        let later = Pair { history: vec![Turn::new("Who?", "Me.")], ..alone.clone() };

        assert_eq!(alone.conversation(), (vec![], "Be brief.\nWhy?".into()));
        assert_eq!(
            later.conversation(),
            (vec![Turn::new("Be brief.\nWho?", "Me.")], "Why?".into())
        );
    }

    #[test]
    fn every_answer_keeps_what_was_said_before_it() {
        let pair =
            Pair { history: vec![Turn::new("a", "b"), Turn::new("c", "d")], ..Pair::new("e", "f") };

        let pairs = pair.every_answer();

        assert_eq!(pairs.iter().map(|p| p.answer.as_str()).collect::<Vec<_>>(), ["b", "d", "f"]);
        assert_eq!(pairs[1].history, [Turn::new("a", "b")]);
        assert_eq!(pairs[2], pair);
    }

    #[test]
    fn a_record_leaves_out_what_is_empty() {
        let short = serde_json::to_string(&Pair::new("q", "a")).unwrap();
        let long = serde_json::to_string(&Pair {
            history: vec![Turn::new("x", "y")],
            tags: vec!["t".into()],
            ..Pair::new("q", "a")
        })
        .unwrap();

        assert_eq!(short, r#"{"question":"q","answer":"a"}"#);
        assert_eq!(long, r#"{"question":"q","answer":"a","history":[["x","y"]],"tags":["t"]}"#);
    }
}
