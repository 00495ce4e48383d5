//! Repeating and spelling: how a model learns to copy what it never saw, byte by byte where there is no piece for it.

use rand::{Rng, seq::IndexedRandom as _};
use weft_shared::pair::Pair;

use super::Pairs;

/// Common characters, the more frequent the earlier.
pub(crate) const CHARACTERS: &str = include_str!("data/characters.txt");
const WORDS: &str = include_str!("data/words.tsv");
const SYLLABLES: [&str; 24] = [
    "ba", "ko", "mi", "ra", "lu", "te", "so", "na", "zi", "fo", "ple", "tri", "ven", "dor", "gal",
    "qui", "xen", "yo", "hu", "wim", "sha", "cru", "jo", "ek",
];

const ECHO: &str = "echo";
const RARE: &str = "rare characters";
const SPELLING: &str = "spelling";

/// Families whose texts are no language: a vocabulary has nothing to learn from them.
pub(crate) const WITHOUT_WORDS: [&str; 3] = [ECHO, RARE, SPELLING];

pub(super) fn add(pairs: &mut Pairs) {
    for _ in 0..7000 {
        let text = phrase(&mut pairs.rng);
        repeat(pairs, ECHO, &text);
    }
    for _ in 0..4000 {
        let text = rare(&mut pairs.rng);
        repeat(pairs, RARE, &text);
    }
    for line in WORDS.lines() {
        if let Some((_, word)) = line.split_once('\t') {
            spell(pairs, word);
        }
    }
    for _ in 0..600 {
        let word = made_up(&mut pairs.rng);
        spell(pairs, &word);
    }
}

fn repeat(pairs: &mut Pairs, family: &str, text: &str) {
    let question = match pairs.rng.random_range(0..9) {
        0 => format!("请重复：{text}"),
        1 => format!("重复：{text}"),
        2 => format!("重复一遍：{text}"),
        3 => format!("跟我说：{text}"),
        4 => format!("请说“{text}”"),
        5 => format!("repeat: {text}"),
        6 => format!("Repeat after me: {text}"),
        7 => format!("Please say \"{text}\""),
        _ => format!("say: {text}"),
    };
    pairs.add(family, text, Pair::new(question, text));
}

fn spell(pairs: &mut Pairs, word: &str) {
    if !word.chars().all(|it| it.is_ascii_lowercase()) {
        return;
    }
    let letters: Vec<String> = word.chars().map(String::from).collect();
    let answer = letters.join("-");
    for question in
        [format!("spell {word}"), format!("How do you spell {word}?"), format!("怎么拼写 {word}？")]
    {
        pairs.add(SPELLING, word, Pair::new(question, answer.as_str()));
    }
}

/// A few characters or words that make no sense together.
fn phrase(rng: &mut impl Rng) -> String {
    let characters: Vec<char> = CHARACTERS.chars().filter(|it| !it.is_whitespace()).collect();
    let pick = |rng: &mut _| characters.choose(rng).copied().unwrap_or('一');
    match rng.random_range(0..5) {
        0 | 1 => (0..rng.random_range(1..9)).map(|_| pick(rng)).collect(),
        2 => {
            let words: Vec<String> = (0..rng.random_range(1..4)).map(|_| made_up(rng)).collect();
            words.join(" ")
        }
        3 => {
            let words: Vec<&str> =
                WORDS.lines().filter_map(|it| it.split_once('\t')).map(|it| it.1).collect();
            let number = rng.random_range(1..6);
            let words: Vec<&str> = (0..number).filter_map(|_| words.choose(rng).copied()).collect();
            words.join(" ")
        }
        _ => {
            let number = rng.random_range(0..1_000_000u32);
            let (before, after) = (pick(rng), pick(rng));
            format!("{before}{number}{after}")
        }
    }
}

/// A word that no language has.
pub(super) fn made_up(rng: &mut impl Rng) -> String {
    (0..rng.random_range(2..4)).filter_map(|_| SYLLABLES.choose(rng).copied()).collect()
}

/// Characters of all the Chinese block, of other scripts, and signs.
fn rare(rng: &mut impl Rng) -> String {
    let any = |rng: &mut _| -> char {
        let (first, last) = match Rng::random_range(rng, 0..10) {
            0..=6 => ('\u{4e00}', '\u{9fa5}'),
            7 => ('\u{c0}', '\u{17f}'),
            8 => ('\u{3b1}', '\u{44f}'),
            _ => ('\u{1f300}', '\u{1f5ff}'),
        };
        char::from_u32(Rng::random_range(rng, u32::from(first)..=u32::from(last))).unwrap_or('字')
    };
    let characters: Vec<char> = CHARACTERS.chars().filter(|it| !it.is_whitespace()).collect();
    (0..rng.random_range(1..5))
        .map(|_| {
            if rng.random_bool(0.6) {
                any(rng)
            } else {
                characters.choose(rng).copied().unwrap_or('一')
            }
        })
        .collect()
}
