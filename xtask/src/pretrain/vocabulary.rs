//! The embedded model's vocabulary: a Unigram model of its corpus in the published `.model` form.
//!
//! Chinese punctuation stays as it is typed, unlike in the published vocabularies, whose rules make it narrow: answers
//! read as they were written.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use tokenizers::models::unigram::{Unigram, UnigramTrainer};
use weft_shared::{
    pair::{Pair, Turn},
    prompt::Templates,
    tokenizer::{ChatGlmTokenizer, MadeVocabulary, compile_charsmap},
};

use crate::corpus::{CHARACTERS, CHINESE, ENGLISH, WITHOUT_WORDS};

/// Words, without the bytes and special pieces that every vocabulary has.
const WORDS: usize = 4250;
/// Of these, parts of words: for what is no word of the data.
const PARTS: usize = 260;
/// As in the published vocabularies.
const LONGEST_BLANK: usize = 80;
const SPACE: char = '▁';
/// A common English word counts as if it were there so often: it is given a piece.
const COMMON: u32 = 400;
/// A Chinese word is given a piece if it is there so often.
const COMMON_CHINESE: u32 = 150;

/// The bytes of the `.model` file for these pairs.
pub(super) fn train(pairs: &[Pair]) -> anyhow::Result<Vec<u8>> {
    let charsmap = charsmap()?;
    let normalizing = vocabulary(&[(SPACE.to_string(), 0.0)], &charsmap);
    let normalizing = ChatGlmTokenizer::from_sentencepiece(&normalizing)?;

    let chinese: HashSet<&str> = CHINESE
        .iter()
        .flat_map(|it| it.lines())
        .flat_map(|line| line.split(['\t', ' ']))
        .filter(|it| it.chars().count() > 1 && it.chars().all(is_chinese))
        .collect();
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut count = |text: &str| {
        for word in words(&spaced(&normalizing, text), &chinese) {
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
    counts.retain(|word, count| !chinese.contains(word.as_str()) || *count >= COMMON_CHINESE);

    // By the root of the count: what one template repeats a thousand times needs no piece for each of its parts.
    let damped = |count: u32| f64::from(count).sqrt().ceil();
    #[expect(clippy::cast_sign_loss, reason = "a root is not negative")]
    let mut counts: Vec<_> =
        counts.into_iter().map(|(word, count)| (word, damped(count) as u32)).collect();
    counts.sort();
    let trainer = UnigramTrainer::builder()
        .show_progress(false)
        .vocab_size(WORDS as u32)
        .max_piece_length(10)
        .build()
        .context("the trainer of vocabularies cannot be set up")?;
    let mut model = Unigram::default();
    trainer
        .do_train(counts.clone(), &mut model)
        .map_err(|error| anyhow::anyhow!("the vocabulary could not be trained: {error}"))?;
    Ok(vocabulary(&ordered(chosen(&model, counts)), &charsmap))
}

/// Every character; the most common whole words, which the trainer gives up where their parts do nearly as well; and
/// of the trainer's parts the best.
fn chosen(model: &Unigram, mut counts: Vec<(String, u32)>) -> Vec<(String, f32)> {
    let trained: HashMap<&str, f64> = model
        .iter()
        .filter(|(text, score)| score.is_finite() && text != "<unk>")
        .map(|(text, score)| (text.as_str(), *score))
        .collect();
    let all: f64 = counts.iter().map(|it| f64::from(it.1)).sum();
    let is_single = |text: &str| text.chars().count() == 1;
    let mut chosen: HashMap<String, f64> = trained
        .iter()
        .filter(|it| is_single(it.0))
        .map(|(text, score)| ((*text).to_owned(), *score))
        .collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (word, count) in counts {
        if chosen.len() < WORDS - PARTS {
            let own = (f64::from(count) / all).ln();
            let score = trained.get(word.as_str()).map_or(own, |it| it.max(own));
            chosen.entry(word).or_insert(score);
        }
    }
    let mut parts: Vec<_> = trained.iter().filter(|it| !chosen.contains_key(*it.0)).collect();
    parts.sort_by(|a, b| b.1.total_cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let parts: Vec<_> = parts.into_iter().take(WORDS - chosen.len()).collect();
    let parts: Vec<_> =
        parts.into_iter().map(|(text, score)| ((*text).to_owned(), *score)).collect();
    chosen.into_iter().chain(parts).map(|(text, score)| (text, score as f32)).collect()
}

fn vocabulary(words: &[(String, f32)], charsmap: &[u8]) -> Vec<u8> {
    MadeVocabulary { name: "embedded", words, charsmap, longest_blank: LONGEST_BLANK }.write()
}

/// The pieces with their scores, `▁` first, then the likely ones.
fn ordered(mut pieces: Vec<(String, f32)>) -> Vec<(String, f32)> {
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

/// Cuts a text where no piece may reach across: at white space, signs, digits, between scripts, and around every
/// Chinese character that is not in one of the `chinese` words.
fn words(text: &str, chinese: &HashSet<&str>) -> Vec<String> {
    const LONGEST: usize = 4;
    let characters: Vec<char> = text.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut last = Kind::Break;
    let mut at = 0;
    while at < characters.len() {
        let kind = Kind::of(characters[at]);
        let mut length = 1;
        match words.last_mut() {
            _ if kind == Kind::Chinese => {
                let word = (2..=LONGEST.min(characters.len() - at))
                    .rev()
                    .map(|length| characters[at..at + length].iter().collect::<String>())
                    .find(|it| chinese.contains(it.as_str()))
                    .unwrap_or_else(|| characters[at].to_string());
                length = word.chars().count();
                words.push(word);
            }
            Some(word) if kind == Kind::Letter && matches!(last, Kind::Space | Kind::Letter) => {
                word.push(characters[at]);
            }
            _ if kind == Kind::Break => {}
            _ => words.push(characters[at].to_string()),
        }
        last = kind;
        at += length;
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
    /// Signs and digits: each for itself.
    Sign,
}

impl Kind {
    fn of(character: char) -> Self {
        match character {
            '\n' | '\t' => Self::Break,
            SPACE => Self::Space,
            _ if is_chinese(character) => Self::Chinese,
            _ if character.is_alphabetic() => Self::Letter,
            _ => Self::Sign,
        }
    }
}

fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

/// How much of what is asked and answered has pieces of its own.
pub(super) struct Coverage {
    pub tokens: usize,
    /// Tokens that are one byte of a character without a piece.
    pub bytes: usize,
}

/// Questions and answers of `pairs`, history included, in tokens of the vocabulary.
pub(super) fn coverage(vocabulary: &[u8], pairs: &[Pair]) -> anyhow::Result<Coverage> {
    let tokenizer = ChatGlmTokenizer::from_sentencepiece(vocabulary)?;
    let mut coverage = Coverage { tokens: 0, bytes: 0 };
    for pair in pairs {
        for text in texts(pair) {
            let ids = tokenizer.encode_ids(text);
            coverage.tokens += ids.len();
            coverage.bytes += ids.iter().filter(|&&id| is_byte(&tokenizer, id)).count();
        }
    }
    Ok(coverage)
}

/// Questions and answers of a pair, history first.
pub(super) fn texts(pair: &Pair) -> impl Iterator<Item = &str> {
    let earlier = pair.history.iter().flat_map(|it| [&*it.question, &*it.answer]);
    earlier.chain([&*pair.question, &*pair.answer])
}

/// Whether the token stands for one byte of a character without a piece.
pub(super) fn is_byte(tokenizer: &ChatGlmTokenizer, id: u32) -> bool {
    tokenizer.piece(id).is_some_and(|piece| piece.starts_with("<0x"))
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
    fn few_bytes_are_left_over() {
        let corpus = crate::corpus::Corpus::generate(1);
        let teaching = crate::shell::root().join("tests/fixtures/teaching");
        let taught: Vec<Pair> = ["a", "b", "c", "d"]
            .iter()
            .flat_map(|name| {
                let lines =
                    std::fs::read_to_string(teaching.join(format!("{name}.jsonl"))).unwrap();
                lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect::<Vec<Pair>>()
            })
            .collect();

        let vocabulary = train(&corpus.train).unwrap();

        let tokenizer = ChatGlmTokenizer::from_sentencepiece(&vocabulary).unwrap();
        assert!(tokenizer.vocab_size() < 4640, "{} pieces", tokenizer.vocab_size());
        let of_corpus = coverage(&vocabulary, &corpus.train).unwrap();
        assert_eq!(of_corpus.bytes, 0, "of {} tokens", of_corpus.tokens);
        let of_teaching = coverage(&vocabulary, &taught).unwrap();
        assert!(of_teaching.bytes * 50 < of_teaching.tokens, "{}", of_teaching.bytes);
    }

    #[test]
    fn words_end_at_signs_digits_and_other_scripts() {
        let chinese = HashSet::from(["等于"]);

        assert_eq!(words("▁12加3等于？", &chinese), ["▁", "1", "2", "加", "3", "等于", "？"]);
        assert_eq!(words("▁what▁is\n▁猫狗", &chinese), ["▁what", "▁is", "▁", "猫", "狗"]);
    }
}
