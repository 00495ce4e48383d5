//! What was said before changes nothing about a question that stands alone.

use rand::{Rng as _, seq::IndexedRandom as _};
use weft_shared::pair::{Pair, Turn};

use super::{
    pairs::{Keys, Pairs},
    rules::Rule,
    wording::Language,
};

const FAMILY: &str = "in conversation";

/// What refers to the turn before: its answer again, and its question.
const AGAIN: [[Rule; 2]; 2] = [
    [
        Rule {
            questions: &[
                "再说一遍",
                "[请|麻烦你|]再说一[遍|次]",
                "[你|]刚才说什么",
                "你[刚才|刚刚]说[了|的是]什么",
                "重复一下[你的回答|刚才的话|]",
                "[我|]没听清[，再说一遍|]",
                "什么？",
            ],
            answer: "={a}",
        },
        Rule {
            questions: &[
                "我刚才问了什么",
                "我[刚才|刚刚]问[的是|你|了你]什么",
                "我[上一个|刚才的]问题是什么",
                "我刚才说了什么",
            ],
            answer: "你刚才说：“{q}”",
        },
    ],
    [
        Rule {
            questions: &[
                "say that again",
                "[please |can you |could you |]say [that|it] again",
                "[can you |please |]repeat [that|your answer|what you said]",
                "what did you [just |]say",
                "pardon",
                "come again",
            ],
            answer: "={a}",
        },
        Rule {
            questions: &[
                "what did I [just |]ask",
                "what did I [just |]ask you",
                "what was my [last |]question",
                "what did I just say",
            ],
            answer: "You said: \"{q}\"",
        },
    ],
];

pub(super) fn add(pairs: &mut Pairs) {
    let alone: Vec<Pair> = pairs.train.iter().filter(|it| it.history.is_empty()).cloned().collect();
    for number in 0..40_000_u32 {
        let before = *[1, 1, 1, 2, 2, 3].choose(&mut pairs.rng).unwrap_or(&1);
        let mut said: Vec<Pair> =
            alone.choose_multiple(&mut pairs.rng, before + 1).cloned().collect();
        let Some(asked) = said.pop() else { continue };
        // What a person tells of themselves is no mere history.
        if said.iter().any(|it| it.tags[0] == "told") || asked.tags[0] == "told" {
            continue;
        }
        let history = said.into_iter().map(|it| Turn::new(it.question, it.answer)).collect();
        let content =
            if pairs.rng.random_bool(0.5) { format!("context {number}") } else { String::new() };
        let pair = Pair { history, ..Pair::new(asked.question, asked.answer) };
        pairs.add(FAMILY, Keys { wording: "", content: &content }, pair);
    }
    for _ in 0..6000 {
        let Some(before) = alone.choose(&mut pairs.rng).cloned() else { continue };
        if before.question.chars().count() > 40 || before.answer.chars().count() > 60 {
            continue;
        }
        let language = usize::from(Language::of(&before.question) == Language::English);
        let rule = &AGAIN[language][usize::from(pairs.rng.random_bool(0.5))];
        let values = [("a", before.answer.clone()), ("q", before.question.clone())];
        let (_, turn) = rule.turn(pairs, &values);
        let content = before.question.clone();
        let history = vec![Turn::new(before.question, before.answer)];
        let pair = Pair { history, ..Pair::new(turn.question, turn.answer) };
        pairs.add("follow-ups", Keys { wording: "", content: &content }, pair);
    }
}
