//! The worker's bench: the vocabulary that lies on it, and what is done with each request.

use weft_shared::{
    pair::Pair,
    sample::{DigestBuilder, Explained, Fit, SampleEncoder, SampleError, SampleOptions},
    tokenizer::ChatGlmTokenizer,
};

use super::{
    Answer, Digested, Measure, Refusal, Request, Sampled, Steps, Vocabulary, abridged::abridged,
};

/// Of a longer text the steps are shown for this much: they are for reading.
const TRACED_BYTES: usize = 2000;

const NO_VOCABULARY: &str = "no vocabulary is open";

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
            Request::Sample { number, pair, options, detailed } => {
                Answer::Sampled(Box::new(self.sample(number, pair, options, detailed)))
            }
            Request::Measure { pairs, options } => Answer::Measured(self.measure(&pairs, &options)),
            Request::Digest { pairs, options } => Answer::Digested(self.digest(&pairs, options)),
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

    fn sample(&self, number: u64, pair: Pair, options: SampleOptions, detailed: usize) -> Sampled {
        let nothing = Explained {
            text: String::new(),
            tokens: Vec::new(),
            encoded: Err(SampleError::NoRoomForAnswer),
        };
        let templates = options.templates.clone();
        let explained = match &self.tokenizer {
            None => return Sampled::empty(number, pair),
            Some(tokenizer) => match SampleEncoder::new(tokenizer, options) {
                Ok(encoder) => encoder.explain(&pair),
                Err(error) => Explained { encoded: Err(error), ..nothing },
            },
        };
        let (history, question) = pair.conversation();
        let prompt = if history.is_empty() {
            templates.training_prompt(&question)
        } else {
            templates.chat_prompt(&history, &question)
        };
        Sampled {
            number,
            outcome: Some(explained.encoded.map_err(Refusal::from)),
            text: explained.text,
            tokens: abridged(explained.tokens, detailed),
            question_steps: self.steps(&prompt),
            answer_steps: self.steps(&pair.answer),
            pair,
            took_ms: 0.0,
        }
    }

    fn steps(&self, text: &str) -> Steps {
        let Some(tokenizer) = &self.tokenizer else { return Steps::default() };
        let traced = text.floor_char_boundary(TRACED_BYTES);
        Steps { steps: tokenizer.trace(&text[..traced]).steps, is_cut: traced < text.len() }
    }

    /// Options that no sample can be made with measure as nothing; [`Self::digest`] says why.
    fn measure(&self, pairs: &[Pair], options: &SampleOptions) -> Vec<Measure> {
        let encoder =
            self.tokenizer.as_ref().and_then(|it| SampleEncoder::new(it, options.clone()).ok());
        let Some(encoder) = encoder else { return Vec::new() };
        let measure = |pair| match encoder.encode(pair) {
            Ok(encoded) => Measure {
                question: encoded.question,
                answer: encoded.answer,
                sample: encoded.sample.len(),
            },
            Err(SampleError::TooLong { question, answer }) => {
                Measure { question, answer, sample: 0 }
            }
            Err(_) => {
                let nothing = Fit { tokens: 0, limit: 0 };
                Measure { question: nothing, answer: nothing, sample: 0 }
            }
        };
        pairs.iter().map(measure).collect()
    }

    fn digest(&self, pairs: &[Pair], options: SampleOptions) -> Result<Digested, String> {
        let tokenizer = self.tokenizer.as_ref().ok_or(NO_VOCABULARY)?;
        let encoder = SampleEncoder::new(tokenizer, options).map_err(|error| error.to_string())?;
        let mut digest = DigestBuilder::default();
        let mut samples = 0;
        for encoded in pairs.iter().filter_map(|pair| encoder.encode(pair).ok()) {
            digest.add(&encoded.sample);
            samples += 1;
        }
        Ok(Digested { digest: digest.finish().to_string(), samples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_vocabulary_a_pair_has_no_sample() {
        let sampled = sample(&mut Bench::default(), SampleOptions::default());

        assert_eq!((sampled.number, sampled.pair), (3, Pair::new("你好", "hello")));
        assert_eq!((sampled.outcome, sampled.tokens.len()), (None, 0));
    }

    #[test]
    fn a_pair_becomes_its_sample() {
        let mut bench = with_vocabulary();

        let sampled = sample(&mut bench, SampleOptions::default());

        let encoded = sampled.outcome.unwrap().unwrap();
        assert_eq!(sampled.text, "问:你好\n答: hello");
        assert_eq!(sampled.tokens.len(), encoded.sample.len());
        assert_eq!(sampled.question_steps.steps.len(), sampled.answer_steps.steps.len());
    }

    #[test]
    fn options_without_room_are_told_from_pairs_that_are_too_long() {
        let mut bench = with_vocabulary();
        let options = SampleOptions { max_source_length: 2, ..SampleOptions::default() };

        let sampled = sample(&mut bench, options);

        assert_eq!(sampled.outcome, Some(Err(Refusal::NoRoomForQuestion)));
    }

    fn with_vocabulary() -> Bench {
        let mut bench = Bench::default();
        let vocabulary =
            include_bytes!("../../../tests/fixtures/mini/checkpoint/ice_text.model").as_slice();
        bench.answer(Request::Open { name: "mini".into() }, vocabulary);
        bench
    }

    fn sample(bench: &mut Bench, options: SampleOptions) -> Sampled {
        let pair = Pair::new("你好", "hello");
        match bench.answer(Request::Sample { number: 3, pair, options, detailed: 100 }, &[]) {
            Answer::Sampled(sampled) => *sampled,
            other => panic!("no sample: {other:?}"),
        }
    }

    #[test]
    fn bytes_that_are_no_vocabulary_are_refused_with_a_reason() {
        let answer = Bench::default().answer(Request::Open { name: "cat.png".into() }, b"\x89PNG");

        let Answer::Refused { name, reason } = answer else { panic!("not refused: {answer:?}") };
        assert_eq!(name, "cat.png");
        assert!(!reason.is_empty());
    }
}
