//! A pair's text to its ids, by one tokenizer and one set of options.

use super::assemble::question_limit;
use super::{Encoded, PairIds, SampleError, SampleOptions, assemble};
use crate::pair::Pair;
use crate::tokenizer::ChatGlmTokenizer;

/// Encodes pairs, all in the same way.
pub struct SampleEncoder<'a> {
    pub(super) tokenizer: &'a ChatGlmTokenizer,
    pub(super) options: SampleOptions,
    /// Ids of the training separator, and of what opens the answer after it.
    separator: (Vec<u32>, Vec<u32>),
    /// Ids of the chat form's separator, encoded alone.
    chat_separator: Vec<u32>,
}

impl<'a> SampleEncoder<'a> {
    /// Refuses options that leave no room for a question or an answer.
    pub fn new(
        tokenizer: &'a ChatGlmTokenizer,
        options: SampleOptions,
    ) -> Result<Self, SampleError> {
        options.templates.validate()?;
        let separator = with_opening(tokenizer, &options.templates.separator);
        let chat_separator = tokenizer.encode_ids(options.templates.chat_separator());
        question_limit(options.max_source_length, separator.0.len().max(chat_separator.len()))?;
        if options.max_target_length == 0 {
            return Err(SampleError::NoRoomForAnswer);
        }
        Ok(Self { tokenizer, options, separator, chat_separator })
    }

    pub fn options(&self) -> &SampleOptions {
        &self.options
    }

    /// Makes the sample of a pair.
    pub fn encode(&self, pair: &Pair) -> Result<Encoded, SampleError> {
        assemble(&self.ids(pair), self.tokenizer.special_ids(), &self.options)
    }

    /// The ids of a pair before they are cut.
    pub fn ids(&self, pair: &Pair) -> PairIds {
        let (history, question) = pair.conversation();
        let answer = self.tokenizer.encode_ids(&pair.answer);
        if history.is_empty() {
            let prompt = self.options.templates.training_prompt(&question);
            let prompt = self.tokenizer.encode_ids(&prompt);
            let (separator, opening) = self.separator.clone();
            return PairIds { prompt, separator, opening, answer };
        }

        // Chat encodes its prompt in one piece, so the separator is found in the ids, not encoded apart:
        // encoded alone it would begin with a space token that the whole prompt does not have there.
        let prompt = self.options.templates.chat_prompt(&history, &question);
        let (mut prompt, opening) = with_opening(self.tokenizer, &prompt);
        let separator =
            prompt.split_off(prompt.len() - common_suffix(&prompt, &self.chat_separator));
        PairIds { prompt, separator, opening, answer }
    }
}

/// Ids of a text, and those that open an answer to it: `[gMASK] <sop>`, unless the text holds a `[MASK]` to fill.
fn with_opening(tokenizer: &ChatGlmTokenizer, text: &str) -> (Vec<u32>, Vec<u32>) {
    let ids = tokenizer.encode_ids(text);
    let opening = tokenizer.encode_ids_with_special_tokens(text).split_off(ids.len());
    (ids, opening)
}

/// How many ids two sequences have in common at their ends.
fn common_suffix(a: &[u32], b: &[u32]) -> usize {
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_is_found_at_the_end() {
        assert_eq!(common_suffix(&[1, 2, 3], &[9, 2, 3]), 2);
        assert_eq!(common_suffix(&[3], &[2, 3]), 1);
        assert_eq!(common_suffix(&[1], &[2]), 0);
    }
}
