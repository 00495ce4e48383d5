//! Short sentences and their translations: patterns with words in them, so that what is said is put together anew.

use std::collections::HashMap;

use rand::{Rng as _, seq::IndexedRandom as _};

use super::{grammar, pairs::Pairs, rules::Rule, tables::rows};

const FAMILY: &str = "translation";

const RULES: [Rule; 2] = [
    Rule {
        questions: &[
            "“{z}”用英语怎么说",
            "“{z}”用英文怎么说",
            "{z}用英[语|文]怎么说",
            "[把|将]“{z}”翻译成英[文|语]",
            "翻译成英文：{z}",
            "“{z}”的英文是什么",
            "[what is|what's] “{z}” in English",
            "translate into English: {z}",
            "translate “{z}” [into|to] English",
            "how do you say “{z}” in English",
            "英文怎么说：{z}",
        ],
        answer: "{e}",
    },
    Rule {
        questions: &[
            "[what is|what's] \"{e}\" in Chinese",
            "translate \"{e}\" [into|to] Chinese",
            "translate into Chinese: {e}",
            "how do you say \"{e}\" in Chinese",
            "\"{e}\"是什么意思",
            "把\"{e}\"翻译成中文",
            "翻译成中文：{e}",
            "\"{e}\"用中文怎么说",
            "\"{e}\"的中文是什么",
            "中文怎么说：{e}",
        ],
        answer: "{z}",
    },
];

pub(super) fn add(pairs: &mut Pairs) {
    let mut words: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
    for row in rows(include_str!("data/sentence_words.tsv")) {
        if let [kind, chinese, english] = row[..] {
            words.entry(kind).or_default().push((chinese, english));
        }
    }
    for row in rows(include_str!("data/sentences.tsv")) {
        let [chinese, english] = row[..] else { continue };
        let places = grammar::places(chinese);
        let draws = if places.is_empty() { 24 } else { 900 };
        for _ in 0..draws {
            let mut chosen = Vec::new();
            for place in &places {
                let kind = place.trim_end_matches(|it: char| it.is_ascii_digit());
                if let Some(word) = words.get(kind).and_then(|it| it.choose(&mut pairs.rng)) {
                    chosen.push((*place, *word));
                }
            }
            let filled =
                |template: &str, language: fn(&(&'static str, &'static str)) -> &'static str| {
                    let values: Vec<_> =
                        chosen.iter().map(|(place, word)| (*place, language(word))).collect();
                    grammar::fill(template, &values)
                };
            let (z, e) = (filled(chinese, |it| it.0), filled(english, |it| it.1));
            let content = if places.is_empty() { String::new() } else { z.clone() };
            let values = [("z", z), ("e", super::wording::capitalized(&e))];
            for rule in &RULES {
                if places.is_empty() || pairs.rng.random_ratio(1, 2) {
                    rule.draw(pairs, FAMILY, &values, &content);
                }
            }
        }
    }
}
