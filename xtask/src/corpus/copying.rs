//! Saying again what was said: how a model learns to copy names and words that it never saw together.

use rand::{Rng as _, seq::IndexedRandom as _};

use super::{
    CHARACTERS, ENGLISH,
    facts::{chinese_name, code, english_name},
    pairs::Pairs,
    rules::Rule,
};

pub(super) const FAMILY: &str = "repeating";

const RULES: [Rule; 2] = [
    Rule {
        questions: &[
            "[请|]重复：{t}",
            "重复一遍：{t}",
            "[请|]说“{t}”",
            "跟我说：{t}",
            "说一遍“{t}”",
            "[请|]跟我念：{t}",
            "重复“{t}”",
            "[请|]把“{t}”重复一遍",
        ],
        answer: "={t}",
    },
    Rule {
        questions: &[
            "[please|] repeat: {t}",
            "repeat after me: {t}",
            "say \"{t}\"",
            "say: {t}",
            "[please|] repeat \"{t}\"",
            "repeat the words \"{t}\"",
            "can you say \"{t}\"",
            "write \"{t}\"",
        ],
        answer: "={t}",
    },
];

pub(super) fn add(pairs: &mut Pairs) {
    let characters: Vec<char> = CHARACTERS.chars().filter(|it| !it.is_whitespace()).collect();
    let words: Vec<&str> = ENGLISH.split_whitespace().collect();
    for _ in 0..28_000 {
        let number = pairs.rng.random_range(1..=6);
        let (language, text) = match pairs.rng.random_range(0..10) {
            0..5 => (
                0,
                (0..=number).filter_map(|_| characters.choose(&mut pairs.rng)).collect::<String>(),
            ),
            5..8 => {
                let chosen: Vec<&str> =
                    (0..number).filter_map(|_| words.choose(&mut pairs.rng).copied()).collect();
                (1, chosen.join(" "))
            }
            8 => (pairs.rng.random_range(0..2), code(&mut pairs.rng)),
            _ => {
                let language = pairs.rng.random_range(0..2);
                let name = if language == 0 {
                    chinese_name(&mut pairs.rng)
                } else {
                    english_name(&mut pairs.rng)
                };
                (language, name)
            }
        };
        let rule = &RULES[language];
        let values = [("t", text.clone())];
        rule.draw(pairs, FAMILY, &values, &text);
    }
}
