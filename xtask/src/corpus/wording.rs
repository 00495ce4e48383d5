//! The same question in other words: openings, endings, capital letters.

use rand::{Rng, seq::IndexedRandom as _};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Chinese,
    English,
}

impl Language {
    /// Of a text: whether it has any Chinese character.
    pub(super) fn of(text: &str) -> Self {
        let is_chinese = |it: char| ('\u{4e00}'..='\u{9fff}').contains(&it);
        if text.chars().any(is_chinese) { Self::Chinese } else { Self::English }
    }
}

const CHINESE_OPENINGS: [&str; 13] = [
    "请问",
    "请问，",
    "请问一下，",
    "你好，",
    "嗨，",
    "告诉我，",
    "请告诉我，",
    "我想知道，",
    "我想问，",
    "你知道",
    "那么，",
    "喂，",
    "小模型，",
];
const ENGLISH_OPENINGS: [&str; 12] = [
    "please tell me, ",
    "tell me, ",
    "hi, ",
    "hello, ",
    "hey, ",
    "so, ",
    "well, ",
    "I wonder, ",
    "excuse me, ",
    "a question: ",
    "do you know, ",
    "now, ",
];
/// Half of the questions have no ending at all.
const ENDINGS: [&str; 10] = ["？", "？", "？", "?", "?", "", "", "", "", "。"];
const ENGLISH_ENDINGS: [&str; 10] = ["?", "?", "?", "?", "", "", "", "", ".", " ?"];

/// `question`, which has no mark at its end, as somebody may type it.
pub(super) fn ask(language: Language, question: &str, rng: &mut impl Rng) -> String {
    let opened = rng.random_bool(0.4);
    let (openings, endings): (&[&str], _) = match language {
        Language::Chinese => (&CHINESE_OPENINGS, &ENDINGS),
        Language::English => (&ENGLISH_OPENINGS, &ENGLISH_ENDINGS),
    };
    let opening = if opened { openings.choose(rng).copied().unwrap_or("") } else { "" };
    let ending = endings.choose(rng).copied().unwrap_or("");
    let asked = format!("{opening}{question}{ending}");
    if language == Language::English && rng.random_bool(0.5) { capitalized(&asked) } else { asked }
}

/// With a capital letter at its start.
pub(super) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

/// The template with its `{}` filled.
pub(super) fn fill(template: &str, value: &str) -> String {
    template.replace("{}", value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_shows_in_the_characters() {
        assert_eq!(Language::of("3 + 5"), Language::English);
        assert_eq!(Language::of("AI是什么"), Language::Chinese);
    }
}
