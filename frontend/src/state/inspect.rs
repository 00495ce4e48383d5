//! The inspector: a pair, and the sample that the worker made of it with the vocabulary in use.
//!
//! One request is under way at a time. What is typed meanwhile waits and only the newest of it is asked for, so a
//! long text never builds a queue, and an answer to an older text is never shown as one to the newer.

mod column;
mod example;
mod export;
mod places;
mod remark;

use weft_shared::{pair::Pair, sample::SampleOptions};

pub use self::{
    column::{Column, bands, columns},
    example::{examples, published},
    export::{json, json_list, json_rows, python},
    places::{byte_of_utf16, chip_at},
    remark::{Remark, remarks},
};
use crate::worker::{Request, Sampled};

/// How many tokens are shown at first, and how many more each time.
pub const DETAILED_STEP: usize = 400;

/// What the inspector knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspector {
    pair: Pair,
    options: SampleOptions,
    /// Whether the worker has a vocabulary.
    has_vocabulary: bool,
    sampled: Sampled,
    detailed: usize,
    last_number: u64,
    under_way: Option<u64>,
    /// The pair, or how it is to be encoded, is newer than the request under way.
    is_behind: bool,
}

impl Inspector {
    pub fn new(pair: Pair, options: SampleOptions) -> Self {
        Self {
            pair,
            options,
            has_vocabulary: false,
            sampled: Sampled::empty(0, Pair::default()),
            detailed: DETAILED_STEP,
            last_number: 0,
            under_way: None,
            is_behind: false,
        }
    }

    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The newest answer; its pair may be older than [`Self::pair`].
    pub fn sampled(&self) -> &Sampled {
        &self.sampled
    }

    /// How many tokens of the sample are not shown.
    pub fn hidden(&self) -> usize {
        let shown = self.sampled.tokens.iter().filter(|token| token.place.is_some()).count();
        self.sampled.encoded().map_or(0, |encoded| encoded.sample.len() - shown)
    }

    /// Another pair. What is returned is to be sent.
    pub fn edit(&mut self, pair: Pair) -> Option<Request> {
        self.pair = pair;
        self.detailed = DETAILED_STEP;
        self.ask()
    }

    /// Other options. What is returned is to be sent.
    pub fn encode_with(&mut self, options: SampleOptions) -> Option<Request> {
        if self.options == options {
            return None;
        }
        self.options = options;
        self.ask()
    }

    /// More tokens of the same pair.
    pub fn show_more(&mut self) -> Option<Request> {
        self.detailed += DETAILED_STEP;
        self.ask()
    }

    /// The worker has another vocabulary. What is returned is to be sent.
    pub fn vocabulary_changed(&mut self) -> Option<Request> {
        self.has_vocabulary = true;
        self.ask()
    }

    /// The worker answered. What is returned is to be sent.
    pub fn receive(&mut self, sampled: Sampled) -> Option<Request> {
        let is_awaited = self.under_way == Some(sampled.number);
        if !is_awaited {
            return None;
        }
        self.under_way = None;
        self.sampled = sampled;
        if self.is_behind { self.ask() } else { None }
    }

    /// The request for what is wanted now, unless one is under way.
    fn ask(&mut self) -> Option<Request> {
        if !self.has_vocabulary {
            return None;
        }
        self.is_behind = self.under_way.is_some();
        if self.is_behind {
            return None;
        }
        self.last_number += 1;
        self.under_way = Some(self.last_number);
        Some(Request::Sample {
            number: self.last_number,
            pair: self.pair.clone(),
            options: self.options.clone(),
            detailed: self.detailed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_vocabulary_nothing_is_asked() {
        let mut inspector = Inspector::new(Pair::default(), SampleOptions::default());

        assert_eq!(inspector.edit(pair("a")), None);
        assert_eq!(asked(inspector.vocabulary_changed()), Some((1, "a".into())));
    }

    #[test]
    fn what_is_typed_meanwhile_is_asked_once_and_newest() {
        let mut inspector = ready();

        assert_eq!(asked(inspector.edit(pair("a"))), Some((2, "a".into())));
        assert_eq!(inspector.edit(pair("ab")), None);
        assert_eq!(inspector.edit(pair("abc")), None);

        assert_eq!(asked(inspector.receive(answer(2, "a"))), Some((3, "abc".into())));
        assert_eq!(inspector.receive(answer(3, "abc")), None);
        assert_eq!(inspector.sampled().pair, pair("abc"));
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_dropped() {
        let mut inspector = ready();
        inspector.edit(pair("new"));

        inspector.receive(answer(1, "old"));

        assert_eq!(inspector.sampled().pair, pair(""));
    }

    #[test]
    fn a_new_vocabulary_takes_the_pair_apart_again() {
        let mut inspector = ready();
        inspector.edit(pair("a"));
        inspector.receive(answer(2, "a"));

        assert_eq!(asked(inspector.vocabulary_changed()), Some((3, "a".into())));
    }

    #[test]
    fn only_other_options_ask_again() {
        let mut inspector = ready();
        let options = SampleOptions { max_target_length: 3, ..SampleOptions::default() };

        assert_eq!(inspector.encode_with(SampleOptions::default()), None);
        let Some(Request::Sample { options: asked, .. }) = inspector.encode_with(options) else {
            panic!("nothing asked")
        };
        assert_eq!(asked.max_target_length, 3);
    }

    #[test]
    fn another_pair_starts_with_few_tokens_again() {
        let mut inspector = ready();
        assert_eq!(detailed(inspector.show_more()), 2 * DETAILED_STEP);
        inspector.receive(answer(2, ""));

        assert_eq!(detailed(inspector.edit(pair("a"))), DETAILED_STEP);
    }

    /// With a vocabulary, and the empty pair taken apart.
    fn ready() -> Inspector {
        let mut inspector = Inspector::new(Pair::default(), SampleOptions::default());
        inspector.vocabulary_changed();
        inspector.receive(answer(1, ""));
        inspector
    }

    fn pair(question: &str) -> Pair {
        Pair::new(question, "")
    }

    fn answer(number: u64, question: &str) -> Sampled {
        Sampled::empty(number, pair(question))
    }

    fn asked(request: Option<Request>) -> Option<(u64, String)> {
        match request? {
            Request::Sample { number, pair, .. } => Some((number, pair.question)),
            other => panic!("not asked for: {other:?}"),
        }
    }

    fn detailed(request: Option<Request>) -> usize {
        match request {
            Some(Request::Sample { detailed, .. }) => detailed,
            other => panic!("not asked for: {other:?}"),
        }
    }
}
