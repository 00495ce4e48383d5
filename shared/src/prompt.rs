//! The text that the model reads before it answers: templates, which are data, and how they are filled.
//!
//! Two forms exist because the published code has two: a *training* prompt for a question alone (`问:` with a
//! narrow colon, and a separator that truncation never cuts) and the *chat* prompt (`[Round 0]\n问：…\n答：…`, the
//! bare question where nothing was said before). A training pair with history has only the chat form to go by,
//! so it is trained on exactly the text that chat would send.

mod filled;

use serde::{Deserialize, Serialize};

use self::filled::Value;
pub use self::filled::{Prompt, Words};
use crate::pair::Turn;

/// Every text that Weft puts around a user's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// How a question without history is put to the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PromptForm {
    /// With the training template and its separator.
    #[default]
    Training,
    /// Bare, as chat puts it.
    Chat,
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

    /// The templates that put a training question in this form.
    #[must_use]
    pub fn in_form(self, form: PromptForm) -> Self {
        match form {
            PromptForm::Training => self,
            PromptForm::Chat => Self { question: "{}".into(), separator: String::new(), ..self },
        }
    }

    /// The training prompt of a question alone, without the separator.
    pub fn training_prompt(&self, question: &str) -> String {
        self.training(question).text
    }

    /// [`Self::training_prompt`], with the place of the question in it.
    pub fn training(&self, question: &str) -> Prompt {
        let mut prompt = Prompt::default();
        prompt.append(0, &self.question, &[("{}", Value::Question(question))]);
        prompt
    }

    /// The chat prompt: the bare query where nothing was said before.
    pub fn chat_prompt(&self, history: &[Turn], query: &str) -> String {
        self.chat(history, query).text
    }

    /// [`Self::chat_prompt`], with the places of all that was said in it.
    pub fn chat(&self, history: &[Turn], query: &str) -> Prompt {
        let mut prompt = Prompt::default();
        let open = [("{round}", Value::Round), ("{question}", Value::Question(query))];
        if history.is_empty() {
            prompt.append(0, "{question}", &open);
            return prompt;
        }
        for (round, turn) in history.iter().enumerate() {
            let values = [
                ("{round}", Value::Round),
                ("{question}", Value::Question(&turn.question)),
                ("{answer}", Value::Answer(&turn.answer)),
            ];
            prompt.append(round, &self.answered_turn, &values);
        }
        prompt.append(history.len(), &self.open_turn, &open);
        prompt
    }

    /// What the chat prompt puts between the last question and its answer.
    pub fn chat_separator(&self) -> &str {
        self.open_turn.rsplit_once("{question}").map_or("", |(_, separator)| separator)
    }
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
    fn a_prompt_knows_whose_words_are_where() {
        let prompt = Templates::default().chat(&[Turn::new("谁?", "我.")], "为何?");

        let said: Vec<_> = prompt
            .words
            .iter()
            .map(|words| (words.turn, words.is_answer, &prompt.text[words.range.clone()]))
            .collect();
        assert_eq!(said, [(0, false, "谁?"), (0, true, "我."), (1, false, "为何?")]);
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
