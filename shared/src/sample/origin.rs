//! Where each token of a sample comes from: a person's words, the template around them, or the sample's structure.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Encoded, Fit, PairIds, SampleEncoder, SampleError, assemble};
use crate::pair::Pair;
use crate::prompt::Prompt;

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Part {
    /// Text that the templates put around the words of the pair.
    Template,
    /// The instruction for the whole conversation.
    System,
    /// A question of the history; turns are counted from 0.
    EarlierQuestion(usize),
    /// An answer of the history.
    EarlierAnswer(usize),
    Question,
    /// The template's text between question and answer, which is never cut.
    Separator,
    /// `[gMASK] <sop>`, which open the answer and are never cut.
    Opening,
    Answer,
    /// `<eop>`, which ends the answer.
    End,
}

impl Part {
    /// Whether its tokens are labels too.
    pub fn is_learned(self) -> bool {
        matches!(self, Self::Answer | Self::End)
    }
}

/// A token of a pair, in its sample or cut from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcedToken {
    pub id: u32,
    /// As the vocabulary writes it.
    pub piece: String,
    /// The first byte in [`Explained::text`], and the byte after the last.
    pub start: usize,
    pub end: usize,
    pub part: Part,
    /// The bytes that it covers of the text that the person wrote there, counted in that text.
    pub span: Option<(usize, usize)>,
    /// Its index in the sample; `None` where truncation cut it, or where there is no sample.
    pub place: Option<usize>,
}

/// A pair's sample, token by token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Prompt, separator and answer: all that the tokens stand for.
    pub text: String,
    /// In the order of the text, those that truncation cut among them.
    pub tokens: Vec<SourcedToken>,
    /// The sample, or why there is none.
    pub encoded: Result<Encoded, SampleError>,
}

/// Bytes of the prompt that are somebody's words.
struct Stretch {
    part: Part,
    range: Range<usize>,
}

impl SampleEncoder<'_> {
    /// Makes the sample of a pair, and says where each of its tokens comes from.
    ///
    /// Slower than [`Self::encode`]: for a person who looks at one pair.
    pub fn explain(&self, pair: &Pair) -> Explained {
        let ids = self.ids(pair);
        let encoded = assemble(&ids, self.tokenizer.special_ids(), &self.options);

        let templates = &self.options.templates;
        let (history, question) = pair.conversation();
        let (prompt, separator) = if history.is_empty() {
            (templates.training(&question), templates.separator.as_str())
        } else {
            (templates.chat(&history, &question), "")
        };
        let stretches = stretches(pair, &prompt, history.len());
        let text = [&prompt.text, separator, &pair.answer].concat();
        let answer_start = text.len() - pair.answer.len();

        let mut tokens = self.tokens(&prompt.text, 0, Part::Template);
        for (index, token) in tokens.iter_mut().enumerate() {
            if index < ids.prompt.len() {
                place_in(&stretches, token);
            } else {
                token.part = Part::Separator;
            }
        }
        tokens.extend(self.tokens(separator, prompt.text.len(), Part::Separator));
        tokens
            .extend(ids.opening.iter().map(|&id| self.structure(id, answer_start, Part::Opening)));
        tokens.extend(self.tokens(&pair.answer, answer_start, Part::Answer).into_iter().map(
            |token| SourcedToken {
                span: Some((token.start - answer_start, token.end - answer_start)),
                ..token
            },
        ));
        tokens.push(self.structure(self.tokenizer.special_ids().eop, text.len(), Part::End));

        if let Ok(encoded) = &encoded {
            self.number(&mut tokens, &ids, encoded);
        }
        Explained { text, tokens, encoded }
    }

    /// The tokens of a part of the whole text that starts at byte `base`.
    fn tokens(&self, text: &str, base: usize, part: Part) -> Vec<SourcedToken> {
        let encoding = self.tokenizer.encode(text);
        let tokens = encoding.ids.into_iter().zip(encoding.tokens).zip(encoding.offsets);
        tokens
            .map(|((id, piece), (start, end))| SourcedToken {
                id,
                piece,
                start: base + start,
                end: base + end,
                part,
                span: None,
                place: None,
            })
            .collect()
    }

    /// A token that stands for no text.
    fn structure(&self, id: u32, at: usize, part: Part) -> SourcedToken {
        let piece = self.tokenizer.piece(id).unwrap_or_default().to_owned();
        SourcedToken { id, piece, start: at, end: at, part, span: None, place: None }
    }

    /// Gives every token that truncation left its place in the sample.
    fn number(&self, tokens: &mut [SourcedToken], ids: &PairIds, encoded: &Encoded) {
        let kept = |fit: Fit| self.options.truncation.kept(fit.tokens, fit.limit).unwrap_or(0..0);
        let question = kept(encoded.question);
        let answer_start = ids.prompt.len() + ids.separator.len() + ids.opening.len();
        let answer = kept(encoded.answer);
        let answer = answer_start + answer.start..answer_start + answer.end;
        let is_cut = |index: usize, part: Part| match part {
            Part::Separator | Part::Opening | Part::End => false,
            Part::Answer => !answer.contains(&index),
            _ => !question.contains(&index),
        };
        let mut place = 0..;
        for (index, token) in tokens.iter_mut().enumerate() {
            if !is_cut(index, token.part) {
                token.place = place.next();
            }
        }
    }
}

/// Whose words are where in the prompt, the system text apart from the question that it was put before.
fn stretches(pair: &Pair, prompt: &Prompt, last_turn: usize) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    for words in &prompt.words {
        let part = match (words.is_answer, words.turn == last_turn) {
            (true, _) => Part::EarlierAnswer(words.turn),
            (false, true) => Part::Question,
            (false, false) => Part::EarlierQuestion(words.turn),
        };
        let mut range = words.range.clone();
        let system = pair.system.as_deref().filter(|system| !system.is_empty());
        if let Some(system) = system.filter(|_| words.turn == 0 && !words.is_answer) {
            let end = range.start + system.len();
            stretches.push(Stretch { part: Part::System, range: range.start..end });
            range.start = end + "\n".len();
        }
        stretches.push(Stretch { part, range });
    }
    stretches
}

/// Finds the words that a token of the prompt mostly stands for.
fn place_in(stretches: &[Stretch], token: &mut SourcedToken) {
    let shared = |range: &Range<usize>| {
        let start = token.start.max(range.start);
        start..token.end.min(range.end).max(start)
    };
    let found = if token.start == token.end {
        stretches.iter().find(|stretch| stretch.range.contains(&token.start))
    } else {
        let most = stretches.iter().max_by_key(|stretch| shared(&stretch.range).len());
        let of_words: usize = stretches.iter().map(|stretch| shared(&stretch.range).len()).sum();
        let of_template = token.end - token.start - of_words;
        most.filter(|stretch| shared(&stretch.range).len() > of_template)
    };
    if let Some(Stretch { part, range }) = found {
        let shared = shared(range);
        token.part = *part;
        token.span = Some((shared.start - range.start, shared.end - range.start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pair::Turn,
        sample::{SampleOptions, Truncation},
        tokenizer::ChatGlmTokenizer,
    };

    #[test]
    fn every_token_knows_its_part() {
        let explained = explain(&Pair::new("你好", "hello"), SampleOptions::default());

        assert_eq!(
            shown(&explained),
            [
                "Template ▁",
                "Template 问",
                "Template :",
                "Question 你好",
                "Separator ▁",
                "Separator <n>",
                "Separator 答",
                "Separator :",
                "Opening [gMASK]",
                "Opening <sop>",
                "Answer ▁hello",
                "End <eop>",
            ]
        );
        assert_eq!(explained.tokens[3].span, Some((0, 6)));
        assert_eq!(explained.tokens[10].span, Some((0, 5)));
    }

    #[test]
    fn places_are_those_of_the_sample() {
        let history = vec![Turn::new("谁?", "hello你好hello"), Turn::new("", "好")];
        let pair = Pair {
            history,
            system: Some("你好。".into()),
            ..Pair::new("你好 hello 你好?", "帅 hello hello 你好 ½")
        };
        for pair in [pair, Pair::new("[MASK] 你好 👋\n", ""), Pair::new("", "a b c d e f g h")]
        {
            for truncation in [Truncation::End, Truncation::Front] {
                for limit in [6, 9, 500] {
                    let options = SampleOptions {
                        max_source_length: limit,
                        max_target_length: limit,
                        truncation,
                        ..SampleOptions::default()
                    };
                    let explained = explain(&pair, options);

                    let sample = explained.encoded.unwrap().sample;
                    let ids: Vec<_> = in_sample(&explained.tokens).map(|it| it.id).collect();
                    let places: Vec<_> =
                        in_sample(&explained.tokens).filter_map(|it| it.place).collect();
                    assert_eq!(ids, sample.input_ids);
                    assert_eq!(places, (0..sample.len()).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn a_conversation_is_told_apart() {
        let pair = Pair {
            history: vec![Turn::new("你好", "hello")],
            system: Some("好".into()),
            ..Pair::new("你好", "好")
        };

        let explained = explain(&pair, SampleOptions::default());

        let of = |part: Part| {
            let tokens = explained.tokens.iter().filter(move |token| token.part == part);
            tokens.map(|token| &explained.text[token.start..token.end]).collect::<String>()
        };
        assert_eq!(of(Part::System), "好");
        assert_eq!(of(Part::EarlierQuestion(0)), "你好");
        assert_eq!(of(Part::EarlierAnswer(0)), "hello");
        assert_eq!(of(Part::Question), "你好");
        assert_eq!(of(Part::Separator), "\n答：");
    }

    #[test]
    fn bytes_of_a_character_belong_to_its_part() {
        let explained = explain(&Pair::new("👋", "好"), SampleOptions::default());

        let bytes: Vec<_> =
            explained.tokens.iter().filter(|token| token.part == Part::Question).collect();
        assert_eq!(bytes.len(), 4);
        assert_eq!(bytes[0].span, Some((0, 0)));
        assert_eq!(bytes[3].span, Some((0, 4)));
    }

    #[test]
    fn a_dropped_pair_still_shows_its_tokens() {
        let options = SampleOptions {
            max_target_length: 1,
            truncation: Truncation::Drop,
            ..SampleOptions::default()
        };

        let explained = explain(&Pair::new("你好", "hello 你好"), options);

        assert!(matches!(explained.encoded, Err(SampleError::TooLong { .. })));
        assert!(explained.tokens.len() > 10);
        assert_eq!(in_sample(&explained.tokens).count(), 0);
    }

    fn explain(pair: &Pair, options: SampleOptions) -> Explained {
        let tokenizer = ChatGlmTokenizer::from_bytes(include_bytes!(
            "../../../tests/fixtures/mini/checkpoint/ice_text.model"
        ))
        .unwrap();
        SampleEncoder::new(&tokenizer, options).unwrap().explain(pair)
    }

    fn shown(explained: &Explained) -> Vec<String> {
        explained.tokens.iter().map(|token| format!("{:?} {}", token.part, token.piece)).collect()
    }

    fn in_sample(tokens: &[SourcedToken]) -> impl Iterator<Item = &SourcedToken> {
        tokens.iter().filter(|token| token.place.is_some())
    }
}
