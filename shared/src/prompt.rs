//! The text that the model reads before it answers: templates, which are data, and how they are filled.
//!
//! Two forms exist because the published code has two: a *training* prompt for a question alone (`问:` with a
//! narrow colon, and a separator that truncation never cuts) and the *chat* prompt (`[Round 0]\n问：…\n答：…`, the
//! bare question where nothing was said before). A training pair with history has only the chat form to go by,
//! so it is trained on exactly the text that chat would send.

use serde::{Deserialize, Serialize};

use crate::pair::Turn;

/// Every text that Weft puts around a user's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Templates {
    /// A training question; `{}` is the question.
    pub question: String,
    /// What stands between the training question and its answer.
    pub separator: String,
    /// A turn that was answered: `{round}`, `{question}`, `{answer}`.
    pub answered_turn: String,
    /// The turn to answer: `{round}`, `{question}`. What follows `{question}` is the chat form's separator.
    pub open_turn: String,
}

impl Default for Templates {
    /// The published ones.
    fn default() -> Self {
        Self {
            question: "问:{}".into(),
            separator: "\n答: ".into(),
            answered_turn: "[Round {round}]\n问：{question}\n答：{answer}\n".into(),
            open_turn: "[Round {round}]\n问：{question}\n答：".into(),
        }
    }
}

/// Why a set of templates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template `{template}` lacks `{placeholder}`")]
pub struct TemplateError {
    pub template: String,
    pub placeholder: &'static str,
}

impl Templates {
    /// Says which template would lose the user's words.
    pub fn validate(&self) -> Result<(), TemplateError> {
        let wanted = [
            (&self.question, "{}"),
            (&self.answered_turn, "{question}"),
            (&self.answered_turn, "{answer}"),
            (&self.open_turn, "{question}"),
        ];
        match wanted.into_iter().find(|(template, placeholder)| !template.contains(placeholder)) {
            Some((template, placeholder)) => {
                Err(TemplateError { template: template.clone(), placeholder })
            }
            None => Ok(()),
        }
    }

    /// The training prompt of a question alone, without the separator.
    pub fn training_prompt(&self, question: &str) -> String {
        fill(&self.question, &[("{}", question)])
    }

    /// The chat prompt: the bare query where nothing was said before.
    pub fn chat_prompt(&self, history: &[Turn], query: &str) -> String {
        if history.is_empty() {
            return query.to_owned();
        }
        let mut prompt = String::new();
        for (round, turn) in history.iter().enumerate() {
            prompt += &fill(
                &self.answered_turn,
                &[
                    ("{round}", &round.to_string()),
                    ("{question}", &turn.question),
                    ("{answer}", &turn.answer),
                ],
            );
        }
        prompt
            + &fill(
                &self.open_turn,
                &[("{round}", &history.len().to_string()), ("{question}", query)],
            )
    }

    /// What the chat prompt puts between the last question and its answer.
    pub fn chat_separator(&self) -> &str {
        self.open_turn.rsplit_once("{question}").map_or("", |(_, separator)| separator)
    }
}

/// Replaces placeholders in one pass, so that a placeholder inside a user's text stays text.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(brace) = rest.find('{') {
        filled += &rest[..brace];
        rest = &rest[brace..];
        let (piece, length) = match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => (*value, name.len()),
            None => ("{", 1),
        };
        filled += piece;
        rest = &rest[length..];
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_before_means_the_bare_query() {
        assert_eq!(Templates::default().chat_prompt(&[], "你好"), "你好");
    }

    #[test]
    fn rounds_are_counted_from_zero() {
        let history = [Turn::new("你好", "你好!"), Turn::new("谁?", "我.")];

        let prompt = Templates::default().chat_prompt(&history, "为何?");

        assert_eq!(
            prompt,
            "[Round 0]\n问：你好\n答：你好!\n[Round 1]\n问：谁?\n答：我.\n[Round 2]\n问：为何?\n答："
        );
    }

    #[test]
    fn a_placeholder_in_a_question_stays_text() {
        let templates = Templates::default();

        assert_eq!(
            templates.training_prompt("fn f() {} // {question}"),
            "问:fn f() {} // {question}"
        );
        assert!(
            templates
                .chat_prompt(&[Turn::new("{answer}", "b")], "{round}")
                .ends_with("问：{round}\n答：")
        );
    }

    #[test]
    fn a_template_without_the_question_is_refused() {
        let templates = Templates { question: "问:".into(), ..Templates::default() };

        let error = templates.validate().unwrap_err();

        assert_eq!(error.to_string(), "the template `问:` lacks `{}`");
    }

    #[test]
    fn the_chat_separator_is_what_follows_the_question() {
        assert_eq!(Templates::default().chat_separator(), "\n答：");
    }
}
