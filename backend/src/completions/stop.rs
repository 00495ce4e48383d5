//! Texts at which an answer ends, wherever tokens begin and end.

use weft_shared::api::chat::Stop;

use super::CompletionError;

/// As in OpenAI's API.
const MOST: usize = 4;

/// Looks for the texts in what passes by, and holds back what may be the begin of one.
#[derive(Clone, Debug, Default)]
pub(super) struct StopTexts {
    texts: Vec<String>,
    held: String,
}

/// What may be shown, and whether it ends there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) text: String,
    pub(super) is_stopped: bool,
}

impl StopTexts {
    pub(super) fn read(stop: Option<&Stop>) -> Result<Self, CompletionError> {
        let texts = match stop {
            None => Vec::new(),
            Some(Stop::One(text)) => vec![text.clone()],
            Some(Stop::Several(texts)) => texts.clone(),
        };
        if texts.len() > MOST {
            return Err(CompletionError::field("stop", "at most 4 texts", texts.len()));
        }
        if texts.iter().any(String::is_empty) {
            return Err(CompletionError::field("stop", "texts that are not empty", "an empty one"));
        }
        Ok(Self { texts, held: String::new() })
    }

    /// The answer goes on with `text`.
    pub(super) fn push(&mut self, text: &str) -> Passed {
        self.held += text;
        let first = self.texts.iter().filter_map(|stop| self.held.find(stop)).min();
        if let Some(at) = first {
            self.held.truncate(at);
            return Passed { text: std::mem::take(&mut self.held), is_stopped: true };
        }
        let certain = self.held.len() - self.uncertain();
        let rest = self.held.split_off(certain);
        Passed { text: std::mem::replace(&mut self.held, rest), is_stopped: false }
    }

    /// What was held back, when the answer has ended by itself.
    pub(super) fn finish(self) -> String {
        self.held
    }

    /// Bytes at the end that a stop text may begin with.
    fn uncertain(&self) -> usize {
        let begins = |stop: &String| {
            let longest = self.held.len().min(stop.len() - 1);
            (1..=longest)
                .rev()
                .find(|&bytes| stop.is_char_boundary(bytes) && self.held.ends_with(&stop[..bytes]))
        };
        self.texts.iter().filter_map(begins).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops(texts: &[&str]) -> StopTexts {
        let texts = texts.iter().map(|&text| text.to_owned()).collect();
        StopTexts::read(Some(&Stop::Several(texts))).unwrap()
    }

    fn passed(text: &str, is_stopped: bool) -> Passed {
        Passed { text: text.into(), is_stopped }
    }

    #[test]
    fn a_stop_text_over_several_tokens_is_never_shown() {
        let mut stop = stops(&["END"]);

        assert_eq!(stop.push("one E"), passed("one ", false));
        assert_eq!(stop.push("N"), passed("", false));
        assert_eq!(stop.push("D two"), passed("", true));
    }

    #[test]
    fn what_only_looked_like_one_is_shown_after_all() {
        let mut stop = stops(&["END"]);

        assert_eq!(stop.push("EN"), passed("", false));
        assert_eq!(stop.push("ough"), passed("ENough", false));
        assert_eq!(stop.push("E"), passed("", false));
        assert_eq!(stop.finish(), "E");
    }

    #[test]
    fn the_first_of_several_ends_the_answer() {
        assert_eq!(stops(&["二", "b"]).push("a b 二"), passed("a ", true));
        assert_eq!(stops(&["你好", "好啊"]).push("你"), passed("", false));
    }

    #[test]
    fn too_many_and_empty_ones_are_refused() {
        let read = |texts: &[&str]| {
            let texts = texts.iter().map(|&text| text.to_owned()).collect();
            StopTexts::read(Some(&Stop::Several(texts)))
        };

        assert!(read(&["a", "b", "c", "d"]).is_ok());
        assert!(read(&["a", "b", "c", "d", "e"]).is_err());
        assert!(read(&[""]).is_err());
    }
}
