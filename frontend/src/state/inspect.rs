//! The inspector: a text, a vocabulary, and what the worker made of the two.
//!
//! One request is under way at a time. What is typed meanwhile waits and only the newest of it is asked for, so a
//! long text never builds a queue, and an answer to an older text is never shown as one to the newer.

use crate::worker::{Answer, Inspected, Request, Vocabulary};

/// How many tokens are shown at first, and how many more each time.
pub const DETAILED_STEP: usize = 1500;

/// The vocabulary in use, or on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Opening {
    /// Nothing was opened yet.
    #[default]
    Nothing,
    /// The worker reads a file of this name.
    Reading(String),
    /// Ready.
    Ready(Vocabulary),
    /// A file of this name was no vocabulary; what was open before still is.
    Refused { name: String, reason: String },
}

/// What the inspector knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspector {
    text: String,
    opening: Opening,
    /// What the worker uses, also while it reads another.
    vocabulary: Option<Vocabulary>,
    inspected: Inspected,
    detailed: usize,
    last_number: u64,
    under_way: Option<u64>,
    /// The text, or how it is to be taken apart, is newer than the request under way.
    is_behind: bool,
}

impl Default for Inspector {
    fn default() -> Self {
        Self {
            text: String::new(),
            opening: Opening::default(),
            vocabulary: None,
            inspected: Inspected::default(),
            detailed: DETAILED_STEP,
            last_number: 0,
            under_way: None,
            is_behind: false,
        }
    }
}

impl Inspector {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    pub fn vocabulary(&self) -> Option<&Vocabulary> {
        self.vocabulary.as_ref()
    }

    /// The newest answer; its text may be older than [`Self::text`].
    pub fn inspected(&self) -> &Inspected {
        &self.inspected
    }

    /// How many tokens have an id but are not shown.
    pub fn hidden(&self) -> usize {
        self.inspected.ids.len() - self.inspected.tokens.len()
    }

    /// Another text. What is returned is to be sent.
    pub fn edit(&mut self, text: String) -> Option<Request> {
        self.text = text;
        self.detailed = DETAILED_STEP;
        self.ask()
    }

    /// More tokens of the same text.
    pub fn show_more(&mut self) -> Option<Request> {
        self.detailed = self.inspected.tokens.len() + DETAILED_STEP;
        self.ask()
    }

    /// A file was chosen; what is returned is to be sent with its bytes.
    pub fn open(&mut self, name: String) -> Request {
        self.opening = Opening::Reading(name.clone());
        Request::Open { name }
    }

    /// The worker answered. What is returned is to be sent.
    pub fn receive(&mut self, answer: Answer) -> Option<Request> {
        match answer {
            Answer::Ready => None,
            Answer::Opened(vocabulary) => {
                self.opening = Opening::Ready(vocabulary.clone());
                self.vocabulary = Some(vocabulary);
                self.ask()
            }
            Answer::Refused { name, reason } => {
                self.opening = Opening::Refused { name, reason };
                None
            }
            Answer::Inspected(inspected) => {
                let is_awaited = self.under_way == Some(inspected.number);
                if !is_awaited {
                    return None;
                }
                self.under_way = None;
                self.inspected = inspected;
                if self.is_behind { self.ask() } else { None }
            }
        }
    }

    /// The request for what is wanted now, unless one is under way.
    fn ask(&mut self) -> Option<Request> {
        self.vocabulary.as_ref()?;
        self.is_behind = self.under_way.is_some();
        if self.is_behind {
            return None;
        }
        self.last_number += 1;
        self.under_way = Some(self.last_number);
        Some(Request::Inspect {
            number: self.last_number,
            text: self.text.clone(),
            detailed: self.detailed,
        })
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::tokenizer::Revision;

    use super::*;

    #[test]
    fn without_a_vocabulary_nothing_is_asked() {
        let mut inspector = Inspector::default();

        assert_eq!(inspector.edit("a".into()), None);
        assert_eq!(asked(inspector.receive(opened())), Some((1, "a".into())));
    }

    #[test]
    fn what_is_typed_meanwhile_is_asked_once_and_newest() {
        let mut inspector = ready();

        assert_eq!(asked(inspector.edit("a".into())), Some((2, "a".into())));
        assert_eq!(inspector.edit("ab".into()), None);
        assert_eq!(inspector.edit("abc".into()), None);

        assert_eq!(asked(inspector.receive(answer(2, "a"))), Some((3, "abc".into())));
        assert_eq!(inspector.receive(answer(3, "abc")), None);
        assert_eq!(inspector.inspected().text, "abc");
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_dropped() {
        let mut inspector = ready();
        inspector.edit("new".into());

        inspector.receive(answer(1, "old"));

        assert_eq!(inspector.inspected().text, "");
    }

    #[test]
    fn a_new_vocabulary_takes_the_text_apart_again() {
        let mut inspector = ready();
        inspector.edit("a".into());
        inspector.receive(answer(2, "a"));

        assert_eq!(
            inspector.open("other.model".into()),
            Request::Open { name: "other.model".into() }
        );

        assert_eq!(asked(inspector.receive(opened())), Some((3, "a".into())));
    }

    #[test]
    fn a_refused_file_leaves_the_vocabulary_in_use() {
        let mut inspector = ready();
        inspector.open("cat.png".into());

        inspector
            .receive(Answer::Refused { name: "cat.png".into(), reason: "not a vocabulary".into() });

        assert!(matches!(inspector.opening(), Opening::Refused { .. }));
        assert!(inspector.vocabulary().is_some());
        assert!(inspector.edit("a".into()).is_some());
    }

    #[test]
    fn another_text_starts_with_few_tokens_again() {
        let mut inspector = ready();
        let Some(Request::Inspect { detailed, .. }) = inspector.show_more() else {
            panic!("nothing asked")
        };
        assert_eq!(detailed, DETAILED_STEP);
        inspector.receive(answer(2, ""));

        let Some(Request::Inspect { detailed, .. }) = inspector.edit("a".into()) else {
            panic!("nothing asked")
        };

        assert_eq!(detailed, DETAILED_STEP);
    }

    /// With a vocabulary, and the empty text taken apart.
    fn ready() -> Inspector {
        let mut inspector = Inspector::default();
        inspector.receive(opened());
        inspector.receive(answer(1, ""));
        inspector
    }

    fn opened() -> Answer {
        Answer::Opened(Vocabulary {
            name: "ice_text.model".into(),
            revision: Revision::Main,
            size: 1,
        })
    }

    fn answer(number: u64, text: &str) -> Answer {
        Answer::Inspected(Inspected { number, text: text.into(), ..Inspected::default() })
    }

    fn asked(request: Option<Request>) -> Option<(u64, String)> {
        match request? {
            Request::Inspect { number, text, .. } => Some((number, text)),
            Request::Open { .. } => None,
        }
    }
}
