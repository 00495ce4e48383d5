//! The worker's bench: the vocabulary that lies on it, and what is done with each request.

use weft_shared::tokenizer::ChatGlmTokenizer;

use super::{Answer, Inspected, Request, Token, Vocabulary};

/// Of a longer text the steps are shown for this much: they are for reading.
const TRACED_BYTES: usize = 2000;

/// Answers one request after the other.
#[derive(Default)]
pub struct Bench {
    tokenizer: Option<ChatGlmTokenizer>,
}

impl Bench {
    /// Answers `request`; `bytes` is what came beside it.
    pub fn answer(&mut self, request: Request, bytes: &[u8]) -> Answer {
        match request {
            Request::Open { name } => self.open(name, bytes),
            Request::Inspect { number, text, detailed } => {
                Answer::Inspected(self.inspect(number, text, detailed))
            }
        }
    }

    fn open(&mut self, name: String, bytes: &[u8]) -> Answer {
        match ChatGlmTokenizer::from_bytes(bytes) {
            Ok(tokenizer) => {
                let facts = Vocabulary {
                    name,
                    revision: tokenizer.revision(),
                    size: tokenizer.vocab_size(),
                };
                self.tokenizer = Some(tokenizer);
                Answer::Opened(facts)
            }
            Err(error) => Answer::Refused { name, reason: error.to_string() },
        }
    }

    fn inspect(&self, number: u64, text: String, detailed: usize) -> Inspected {
        let Some(tokenizer) = &self.tokenizer else {
            return Inspected { number, text, ..Inspected::default() };
        };
        let encoding = tokenizer.encode(&text);
        let tokens = encoding.ids.iter().zip(encoding.tokens).zip(encoding.offsets).take(detailed);
        let tokens =
            tokens.map(|((&id, piece), (start, end))| Token { id, piece, start, end }).collect();
        let traced = text.floor_char_boundary(TRACED_BYTES);
        let steps = tokenizer.trace(&text[..traced]).steps;
        Inspected { number, ids: encoding.ids, tokens, steps, traced, text, took_ms: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_vocabulary_a_text_has_no_tokens() {
        let request = Request::Inspect { number: 3, text: "a".into(), detailed: 10 };

        let Answer::Inspected(inspected) = Bench::default().answer(request, &[]) else {
            panic!("no tokens")
        };

        assert_eq!((inspected.number, inspected.text.as_str(), inspected.ids.len()), (3, "a", 0));
    }

    #[test]
    fn bytes_that_are_no_vocabulary_are_refused_with_a_reason() {
        let answer = Bench::default().answer(Request::Open { name: "cat.png".into() }, b"\x89PNG");

        let Answer::Refused { name, reason } = answer else { panic!("not refused: {answer:?}") };
        assert_eq!(name, "cat.png");
        assert!(!reason.is_empty());
    }
}
