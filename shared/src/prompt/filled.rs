//! A template filled with a user's words, which it finds again.

use std::ops::Range;

/// The text that the model reads, and whose words are where in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    pub text: String,
    /// In the order of the text; what lies between is the template's.
    pub words: Vec<Words>,
}

/// What somebody said, in a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Counted from 0; the last one is to be answered.
    pub turn: usize,
    /// By the model, and not by the user.
    pub is_answer: bool,
    /// Bytes of the prompt.
    pub range: Range<usize>,
}

/// What replaces a placeholder.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// A user's words.
    Question(&'a str),
    /// A model's words.
    Answer(&'a str),
    /// The number of the turn.
    Round,
}

impl Prompt {
    /// Appends a template, its placeholders replaced in one pass, so that one inside a user's text stays text.
    pub(super) fn append(&mut self, turn: usize, template: &str, values: &[(&str, Value<'_>)]) {
        let mut rest = template;
        while let Some(brace) = rest.find('{') {
            self.text += &rest[..brace];
            rest = &rest[brace..];
            if let Some((name, value)) = values.iter().find(|(name, _)| rest.starts_with(name)) {
                self.put(turn, *value);
                rest = &rest[name.len()..];
            } else {
                self.text.push('{');
                rest = &rest[1..];
            }
        }
        self.text += rest;
    }

    fn put(&mut self, turn: usize, value: Value<'_>) {
        let start = self.text.len();
        let (words, is_answer) = match value {
            Value::Question(words) => (words, false),
            Value::Answer(words) => (words, true),
            Value::Round => {
                self.text += &turn.to_string();
                return;
            }
        };
        self.text += words;
        self.words.push(Words { turn, is_answer, range: start..self.text.len() });
    }
}
