//! Words letter by letter: spelling, first and last letters, lengths, and the alphabet.

use rand::Rng as _;

use super::{ENGLISH, pairs::Pairs, rules::Rule, tables::rows};

pub(super) const FAMILY: &str = "spelling";
const LETTERS: &str = "letters";

const SPELL: [Rule; 2] = [
    Rule {
        questions: &[
            "[how do you|how do I|how to] spell {w}",
            "spell {w}",
            "spell the word {w}",
            "how is {w} spelled",
            "[how do you|how do I] spell the word {w}",
            "[how do you|how do I] spell \"{w}\"",
            "what is the spelling of {w}",
            "spell \"{w}\"",
            "spell out {w}",
        ],
        answer: "{l}",
    },
    Rule {
        questions: &[
            "{w} 怎么拼[写|]",
            "{w}怎么拼[写|]",
            "[怎么|如何]拼写 {w}",
            "拼[写|]一下 {w}",
            "{w} 这个[单词|词]怎么拼",
        ],
        answer: "{l}",
    },
];
const PARTS: [Rule; 8] = [
    Rule {
        questions: &[
            "what is the first letter of {w}",
            "[what|which] letter does {w} [start|begin] with",
            "the first letter of {w}",
        ],
        answer: "{w} starts with {f}.",
    },
    Rule {
        questions: &[
            "what is the last letter of {w}",
            "[what|which] letter does {w} end with",
            "the last letter of {w}",
        ],
        answer: "{w} ends with {z}.",
    },
    Rule {
        questions: &[
            "how many letters are in {w}",
            "how many letters does {w} have",
            "how many letters are there in [the word|] {w}",
            "how long is the word {w}",
        ],
        answer: "{w} has {n} letters.",
    },
    Rule {
        questions: &[
            "{w}的第一个字母是什么",
            "{w} 的[首字母|第一个字母]是什么",
            "{w} [以|用]什么字母开头",
        ],
        answer: "{w} 的第一个字母是 {f}。",
    },
    Rule {
        questions: &[
            "{w}的最后一个字母是什么",
            "{w} 以什么字母结尾",
            "{w} 的最后一个字母是[什么|哪个]",
        ],
        answer: "{w} 的最后一个字母是 {z}。",
    },
    Rule {
        questions: &["{w}有几个字母", "{w} 有[几|多少]个字母", "{w} 这个[单词|词]有几个字母"],
        answer: "{w} 有{n}个字母。",
    },
    Rule {
        questions: &["{c}[有|是]几个字", "“{c}”有[几|多少]个字", "{c}这个词有几个字"],
        answer: "“{c}”有{m}个字。",
    },
    Rule {
        questions: &["{c}的第一个字是什么", "“{c}”的第一个字是[什么|哪个]"],
        answer: "“{c}”的第一个字是{g}。",
    },
];
const ALPHABET: [Rule; 4] = [
    Rule {
        questions: &[
            "[what|which letter] comes after {a}[ in the alphabet|]",
            "what is the letter after {a}",
            "which letter is after {a}",
        ],
        answer: "{b} comes after {a}.",
    },
    Rule {
        questions: &[
            "[what|which letter] comes before {b}[ in the alphabet|]",
            "what is the letter before {b}",
            "which letter is before {b}",
        ],
        answer: "{a} comes before {b}.",
    },
    Rule {
        questions: &["字母{a}后面是[什么|哪个字母]", "{a}后面是什么字母", "{a}的下一个字母是什么"],
        answer: "{a}后面是{b}。",
    },
    Rule {
        questions: &["字母{b}前面是[什么|哪个字母]", "{b}前面是什么字母", "{b}的上一个字母是什么"],
        answer: "{b}前面是{a}。",
    },
];
const WHOLE: [Rule; 2] = [
    Rule {
        questions: &[
            "say the alphabet",
            "recite the alphabet",
            "[list|name] the letters of the alphabet",
            "what is the alphabet",
            "write the alphabet",
        ],
        answer: "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z",
    },
    Rule {
        questions: &[
            "[背|念|写|说]一下字母表",
            "[列出|写出]二十六个[英文|]字母",
            "字母表是什么",
            "二十六个字母是[什么|哪些]",
        ],
        answer: "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z",
    },
];

pub(super) fn add(pairs: &mut Pairs) {
    for row in rows(include_str!("data/words.tsv")) {
        let (Some(chinese), Some(word)) = (row.first(), row.get(1)) else { continue };
        if is_spelled(word) {
            spell(pairs, word, chinese, 12);
        }
    }
    for word in ENGLISH.split_whitespace().filter(|it| is_spelled(it)) {
        spell(pairs, word, "", 8);
    }
    for (a, b) in ('A'..='Y').zip('B'..='Z') {
        let values = [("a", a.to_string()), ("b", b.to_string())];
        for rule in &ALPHABET {
            (0..12).for_each(|_| rule.draw(pairs, LETTERS, &values, ""));
        }
    }
    for rule in &WHOLE {
        (0..30).for_each(|_| rule.draw(pairs, LETTERS, &[], ""));
    }
}

fn is_spelled(word: &str) -> bool {
    (2..=10).contains(&word.len()) && word.bytes().all(|it| it.is_ascii_lowercase())
}

fn spell(pairs: &mut Pairs, word: &str, chinese: &str, draws: usize) {
    let upper: Vec<char> = word.to_uppercase().chars().collect();
    let letters: Vec<String> = upper.iter().map(char::to_string).collect();
    let mut values = vec![
        ("w", word.to_owned()),
        ("l", letters.join("-")),
        ("f", letters[0].clone()),
        ("z", letters[letters.len() - 1].clone()),
        ("n", letters.len().to_string()),
    ];
    let mut characters = chinese.chars();
    if let Some(first) = characters.next() {
        values.push(("g", first.to_string()));
        values.push(("m", (characters.count() + 1).to_string()));
        values.push(("c", chinese.to_owned()));
    }
    for _ in 0..draws {
        SPELL[pairs.rng.random_range(0..2)].draw(pairs, FAMILY, &values, "");
    }
    let parts = if chinese.is_empty() { 6 } else { 8 };
    for _ in 0..draws {
        PARTS[pairs.rng.random_range(0..parts)].draw(pairs, LETTERS, &values, "");
    }
}
