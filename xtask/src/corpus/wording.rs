//! The same words as somebody may type them: openings, endings, capital letters.

use rand::{Rng, seq::IndexedRandom as _};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Chinese,
    English,
}

impl Language {
    /// Of a text: whether it has any Chinese character.
    pub(super) fn of(text: &str) -> Self {
        if text.chars().any(is_chinese) { Self::Chinese } else { Self::English }
    }
}

pub(super) fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

/// What is said, which decides what may stand around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Question,
    Order,
    Statement,
}

const CHINESE_QUESTION: [&str; 21] = [
    "什么",
    "吗",
    "几",
    "谁",
    "哪",
    "多少",
    "怎么",
    "怎样",
    "为何",
    "是不是",
    "呢",
    "多大",
    "多远",
    "多久",
    "多长",
    "多高",
    "啥",
    "如何",
    "还是",
    "能不能",
    "会不会",
];
const CHINESE_ORDER: [&str; 29] = [
    "请", "帮", "给我", "说", "讲", "背", "写", "列", "数", "把", "翻译", "告诉", "教", "画", "唱",
    "来", "重复", "跟我", "拼", "举", "报", "介绍", "念", "订", "发", "打", "放", "算", "从",
];
const ENGLISH_QUESTION: [&str; 44] = [
    "what", "what's", "who", "who's", "whose", "where", "where's", "when", "when's", "why", "how",
    "how's", "which", "is", "are", "am", "was", "were", "do", "does", "did", "can", "could",
    "will", "would", "shall", "should", "may", "must", "has", "had", "on", "in", "at", "of", "to",
    "for", "by", "under", "from", "with", "isn't", "don't", "if",
];
const ENGLISH_ORDER: [&str; 41] = [
    "tell",
    "say",
    "give",
    "write",
    "list",
    "name",
    "spell",
    "count",
    "translate",
    "draw",
    "book",
    "repeat",
    "recite",
    "sing",
    "show",
    "explain",
    "describe",
    "send",
    "call",
    "order",
    "play",
    "buy",
    "turn",
    "open",
    "add",
    "subtract",
    "multiply",
    "divide",
    "compute",
    "calculate",
    "convert",
    "introduce",
    "teach",
    "help",
    "make",
    "find",
    "cheer",
    "read",
    "complete",
    "continue",
    "put",
];

const CHINESE_ASKING: [&str; 9] = [
    "请问",
    "请问，",
    "请问一下，",
    "你好，",
    "告诉我，",
    "请告诉我，",
    "我想知道，",
    "我想问一下，",
    "你知道",
];
const CHINESE_ORDERING: [&str; 5] = ["请", "请你", "麻烦你", "你好，请", "你能"];
const ENGLISH_ASKING: [&str; 9] = [
    "please tell me, ",
    "tell me, ",
    "hi, ",
    "hello, ",
    "hey, ",
    "so, ",
    "excuse me, ",
    "quick question: ",
    "please, ",
];
const ENGLISH_ORDERING: [&str; 6] =
    ["please ", "please ", "can you ", "could you please ", "hi, please ", "could you "];

impl Kind {
    fn of(language: Language, text: &str) -> Self {
        let lower = text.to_lowercase();
        let first = lower.split([' ', ',']).next().unwrap_or("");
        match language {
            Language::Chinese if CHINESE_QUESTION.iter().any(|it| text.contains(it)) => {
                Self::Question
            }
            Language::Chinese if CHINESE_ORDER.iter().any(|it| text.starts_with(it)) => Self::Order,
            Language::English
                if ENGLISH_QUESTION.contains(&first) || lower.starts_with("have you") =>
            {
                Self::Question
            }
            Language::English if ENGLISH_ORDER.contains(&first) => Self::Order,
            _ => Self::Statement,
        }
    }
}

/// `said`, which has no mark at its end, as somebody may type it. Most of the time it is bare.
///
/// What already ends in a mark, or starts with `=` in a data file, stays as it is.
pub(super) fn ask(language: Language, said: &str, rng: &mut impl Rng) -> String {
    if let Some(raw) = said.strip_prefix('=') {
        return raw.to_owned();
    }
    let kind = Kind::of(language, said);
    let opening = if rng.random_bool(0.2) { opening(language, kind, said, rng) } else { "" };
    let endings: &[&str] = match (language, kind) {
        _ if said.ends_with(['.', '。', '!', '！', '?', '？', '"', '”']) => &[""],
        (Language::Chinese, Kind::Question) => &["？", "？", "？", "?", "?", "", "", ""],
        (Language::English, Kind::Question) => &["?", "?", "?", "?", "", ""],
        (Language::English, Kind::Order) if opening.contains("ou") => &["?", "?", ""],
        (Language::Chinese, Kind::Order) if opening == "你能" => &["吗？", "吗?", "吗"],
        (Language::Chinese, Kind::Statement) if is_exclaimed(said) => &["", "", "。", "！", "!"],
        (Language::English, Kind::Statement) if is_exclaimed(said) => &["", "", ".", ".", "!"],
        (Language::Chinese, _) => &["", "", "", "。"],
        (Language::English, _) => &["", "", "", ".", "."],
    };
    let ending = endings.choose(rng).copied().unwrap_or("");
    // A choice that is empty leaves its space.
    let said = said.trim().replace("  ", " ");
    let asked = format!("{opening}{said}{ending}");
    match language {
        Language::English if rng.random_bool(0.6) => capitalized(&asked),
        Language::English if rng.random_bool(0.12) => asked.to_lowercase(),
        _ => asked,
    }
}

/// Whether it may be said loudly: it names no number and asks for nothing of something.
fn is_exclaimed(said: &str) -> bool {
    !said.contains(|it: char| it.is_ascii_digit() || it == '的') && !said.contains(" of ")
}

fn opening(language: Language, kind: Kind, said: &str, rng: &mut impl Rng) -> &'static str {
    let has_one = ["请", "帮", "你能", "你好", "please", "can you", "could you", "hi", "hello"];
    let openings: &[&str] = match (language, kind) {
        _ if has_one.iter().any(|it| said.starts_with(it)) => &[""],
        (Language::Chinese, Kind::Question) => &CHINESE_ASKING,
        (Language::English, Kind::Question) => &ENGLISH_ASKING,
        (Language::Chinese, Kind::Order) => &CHINESE_ORDERING,
        (Language::English, Kind::Order) => &ENGLISH_ORDERING,
        (_, Kind::Statement) => &[""],
    };
    openings.choose(rng).copied().unwrap_or("")
}

/// With a capital letter at its start.
pub(super) fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

/// What is compared to find whether two questions are one: small letters and Chinese, digits and signs of sums.
pub(super) fn normalized(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|it| it.is_alphanumeric() || "+-*/×÷<>".contains(*it))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_shows_in_the_characters() {
        assert_eq!(Language::of("3 + 5"), Language::English);
        assert_eq!(Language::of("AI是什么"), Language::Chinese);
    }

    #[test]
    fn what_is_asked_ordered_and_said_differs() {
        assert_eq!(Kind::of(Language::English, "what is it"), Kind::Question);
        assert_eq!(Kind::of(Language::English, "tell me"), Kind::Order);
        assert_eq!(Kind::of(Language::English, "I am tired"), Kind::Statement);
        assert_eq!(Kind::of(Language::Chinese, "我累了"), Kind::Statement);
    }

    #[test]
    fn case_space_and_marks_make_no_other_question() {
        assert_eq!(normalized("What is it ?"), normalized("what is it"));
        assert_ne!(normalized("3+5"), normalized("3-5"));
    }
}
