//! What is asked in many ways and answered in one: greetings, identity, small talk, small facts, refusals.

use super::{
    Pairs,
    wording::{self, Language},
};

const FAMILIES: [(&str, &str, usize); 5] = [
    ("greetings", include_str!("data/greetings.txt"), 14),
    ("identity", include_str!("data/identity.txt"), 14),
    ("small talk", include_str!("data/small_talk.txt"), 12),
    ("small facts", include_str!("data/questions.txt"), 14),
    ("refusals", include_str!("data/refusals.txt"), 14),
];

/// People that nobody knows, to learn that not everything is known.
const UNKNOWN_CHINESE: [&str; 10] = [
    "{}是谁",
    "谁是{}",
    "{}在哪里",
    "{}住在哪里",
    "{}今年几岁",
    "{}喜欢什么",
    "{}的电话是多少",
    "{}做什么工作",
    "介绍一下{}",
    "{}的妈妈叫什么",
];
const UNKNOWN_ENGLISH: [&str; 9] = [
    "who is {}",
    "where is {}",
    "where does {} live",
    "how old is {}",
    "what does {} like",
    "do you know {}",
    "what is the phone number of {}",
    "tell me about {}",
    "what does {} do",
];
/// In Chinese and in English.
pub(super) const UNKNOWN: [&str; 2] = ["对不起，这个我不知道。", "Sorry, I do not know that."];

pub(super) fn add(pairs: &mut Pairs) {
    for (family, text, wordings) in FAMILIES {
        for (answer, questions) in intents(text) {
            for question in questions {
                let language = Language::of(answer);
                pairs.add_wordings(family, language, question, answer, wordings);
                // As it stands, it is what people type most.
                pairs.add(family, "", weft_shared::pair::Pair::new(question, answer));
            }
        }
    }
    for _ in 0..120 {
        let (chinese, english) = super::dialogue::names(&mut pairs.rng);
        for template in UNKNOWN_CHINESE {
            let question = wording::fill(template, &chinese);
            pairs.add_wordings("unknown", Language::Chinese, &question, UNKNOWN[0], 1);
        }
        for template in UNKNOWN_ENGLISH {
            let question = wording::fill(template, &english);
            pairs.add_wordings("unknown", Language::English, &question, UNKNOWN[1], 1);
        }
    }
}

/// Answer and questions of each paragraph.
fn intents(text: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    text.split("\n\n").filter(|it| !it.starts_with('#')).filter_map(|paragraph| {
        let mut lines = paragraph.lines().filter(|line| !line.is_empty());
        Some((lines.next()?, lines.collect()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_intent_has_an_answer_and_questions_of_its_own() {
        let mut answers = HashMap::new();
        for (family, text, _) in FAMILIES {
            for (answer, questions) in intents(text) {
                assert!(!questions.is_empty(), "{family}: {answer}");
                for question in questions {
                    let before = answers.insert(question, answer);
                    assert_eq!(before, None, "{family}: {question} is asked twice");
                }
            }
        }
    }
}
