//! The embedded model's vocabulary: a Unigram model of its corpus in the published `.model` form.
//!
//! Chinese punctuation stays as it is typed, unlike in the published vocabularies, whose rules make it narrow: answers
//! read as they were written.

use std::collections::HashMap;

use anyhow::Context as _;
use tokenizers::models::unigram::{Unigram, UnigramTrainer};
use weft_shared::{
    pair::{Pair, Turn},
    prompt::Templates,
    tokenizer::{ChatGlmTokenizer, MadeVocabulary, compile_charsmap},
};

use crate::corpus::{CHARACTERS, ENGLISH, WITHOUT_WORDS};

/// Words, without the bytes and special pieces that every vocabulary has.
const WORDS: u32 = 4200;
/// As in the published vocabularies.
const LONGEST_BLANK: usize = 80;
const SPACE: char = '▁';
/// A common English word counts as if it were there so often: it is given a piece.
const COMMON: u32 = 400;
/// Characters that stand between words: no piece has them inside.
const FUNCTION_WORDS: &str = "的是叫有在和吗了不你我他它";

/// The bytes of the `.model` file for these pairs.
pub(super) fn train(pairs: &[Pair]) -> anyhow::Result<Vec<u8>> {
    let charsmap = charsmap()?;
    let normalizing = vocabulary(&[(SPACE.to_string(), 0.0)], &charsmap);
    let normalizing = ChatGlmTokenizer::from_sentencepiece(&normalizing)?;

    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut count = |text: &str| {
        for word in words(&spaced(&normalizing, text)) {
            *counts.entry(word).or_default() += 1;
        }
    };
    let templates = Templates::default();
    let greeting = Turn::new("你好", "你好");
    count(&templates.chat_prompt(&[greeting], "你好"));
    count(&templates.training_prompt("你好"));
    let is_language = |pair: &&Pair| !pair.tags.iter().any(|tag| WITHOUT_WORDS.contains(&&**tag));
    for pair in pairs.iter().filter(|pair| pair.history.is_empty()).filter(is_language) {
        count(&pair.question);
        count(&pair.answer);
    }
    let signs = ('!'..='~').chain("，。？！：；、（）《》“”‘’…—·℃￥".chars());
    for character in signs.chain(CHARACTERS.chars().filter(|it| !it.is_whitespace())) {
        counts.entry(character.to_string()).or_insert(1);
    }

    for word in ENGLISH.split_whitespace() {
        let count = counts.entry(format!("{SPACE}{word}")).or_default();
        *count = (*count).max(COMMON);
    }

    // By the root of the count: what one template repeats a thousand times needs no piece for each of its parts.
    let damped = |count: u32| f64::from(count).sqrt().ceil();
    #[expect(clippy::cast_sign_loss, reason = "a root is not negative")]
    let mut counts: Vec<_> =
        counts.into_iter().map(|(word, count)| (word, damped(count) as u32)).collect();
    counts.sort();
    let trainer = UnigramTrainer::builder()
        .show_progress(false)
        .vocab_size(WORDS)
        .max_piece_length(10)
        .build()
        .context("the trainer of vocabularies cannot be set up")?;
    let mut model = Unigram::default();
    trainer
        .do_train(counts, &mut model)
        .map_err(|error| anyhow::anyhow!("the vocabulary could not be trained: {error}"))?;
    Ok(vocabulary(&ordered(&model), &charsmap))
}

fn vocabulary(words: &[(String, f32)], charsmap: &[u8]) -> Vec<u8> {
    MadeVocabulary { name: "embedded", words, charsmap, longest_blank: LONGEST_BLANK }.write()
}

/// The model's pieces with their scores, `▁` first.
fn ordered(model: &Unigram) -> Vec<(String, f32)> {
    let pieces = model.iter().filter(|(text, score)| score.is_finite() && text != "<unk>");
    let mut pieces: Vec<_> = pieces.map(|(text, score)| (text.clone(), *score as f32)).collect();
    pieces.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let space = SPACE.to_string();
    let lowest = pieces.last().map_or(0.0, |it| it.1);
    let score = pieces.iter().find(|it| it.0 == space).map_or(lowest, |it| it.1);
    pieces.retain(|(text, _)| *text != space);
    pieces.insert(0, (space, score));
    pieces
}

/// A text as the pieces will cover it: rewritten by the rules, `▁` for spaces.
fn spaced(normalizing: &ChatGlmTokenizer, text: &str) -> String {
    // Decoding what was encoded in bytes gives the text after the rules.
    let ids = normalizing.encode_ids(text);
    format!("{SPACE}{}", normalizing.decode(&ids).replace(' ', &SPACE.to_string()))
}

/// Cuts a text where no piece may reach across: at white space, signs, digits, and between scripts.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = Kind::Break;
    for character in text.chars() {
        let kind = Kind::of(character);
        let goes_on = matches!(
            (last, kind),
            (Kind::Space | Kind::Letter, Kind::Letter) | (Kind::Chinese, Kind::Chinese)
        );
        match words.last_mut() {
            Some(word) if goes_on => word.push(character),
            _ if kind == Kind::Break => {}
            _ => words.push(character.to_string()),
        }
        last = kind;
    }
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A line break: it has a piece of its own.
    Break,
    Space,
    Letter,
    Chinese,
    /// Signs, digits, function words: each for itself.
    Sign,
}

impl Kind {
    fn of(character: char) -> Self {
        match character {
            '\n' | '\t' => Self::Break,
            SPACE => Self::Space,
            _ if FUNCTION_WORDS.contains(character) => Self::Sign,
            '\u{4e00}'..='\u{9fff}' => Self::Chinese,
            _ if character.is_alphabetic() => Self::Letter,
            _ => Self::Sign,
        }
    }
}

/// Wide letters and digits become narrow, unusual spaces become usual ones, control characters go.
fn charsmap() -> anyhow::Result<Vec<u8>> {
    let wide = |from: char, to: char, first: char| {
        (from..=to).zip(first..).map(|(from, to)| (from.to_string(), to.to_string()))
    };
    let wide = wide('Ａ', 'Ｚ', 'A').chain(wide('ａ', 'ｚ', 'a')).chain(wide('０', '９', '0'));
    let dropped = ('\u{1}'..='\u{8}')
        .chain(['\u{7f}', '\u{feff}'])
        .map(|from| (from.to_string(), String::new()));
    let spaces = ['\u{a0}', '\u{2003}', '\u{200b}', '\u{3000}', '\r']
        .map(|from| (from.to_string(), " ".to_owned()));
    let rules: Vec<_> = wide.chain(dropped).chain(spaces).collect();
    Ok(compile_charsmap(rules.iter().map(|(from, to)| (from.as_str(), to.as_str())))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_signs_digits_and_other_scripts() {
        assert_eq!(words("▁12加3等于？"), ["▁", "1", "2", "加", "3", "等于", "？"]);
        assert_eq!(words("▁what▁is\n▁猫"), ["▁what", "▁is", "▁", "猫"]);
    }
}
