//! Lists of things of a kind, and which one does not belong.

use std::collections::BTreeMap;

use rand::{Rng as _, seq::IndexedRandom as _};

use super::{
    pairs::Pairs,
    rules::{Rule, chinese, english},
    tables::rows,
};

const FAMILY: &str = "lists";

/// `{n}` things of the kind `{k}`, counted with `{u}`; each kind always gives the same first ones.
const CHINESE: Rule = Rule {
    questions: &[
        "[说出|列出|列举|写出|举出]{n}{u}{k}",
        "[请|]说{n}{u}{k}",
        "给我{n}{u}{k}",
        "{n}{u}{k}",
        "[告诉我|给我列出|说说]{n}{u}{k}[的名字|]",
        "你能说出{n}{u}{k}吗",
        "{n}{u}{k}[有|是]哪些",
    ],
    answer: "{l}。",
};
const ENGLISH: Rule = Rule {
    questions: &[
        "[name|list] {m} {j}",
        "give me {m} {j}",
        "tell me {m} {j}",
        "{m} {j}",
        "[can you|] name {m} {j} [for me|please]",
        "what are {m} {j}",
        "write down {m} {j}",
    ],
    answer: "{l}.",
};
const SOME: [Rule; 2] = [
    Rule {
        questions: &["有哪些{k}", "[说|举|列]几{u}{k}", "{k}有哪些", "[说|列]一些{k}"],
        answer: "{l}。",
    },
    Rule {
        questions: &[
            "name some {j}",
            "list some {j}",
            "give me some {j}",
            "what {j} do you know",
            "[tell me|] some {j}",
        ],
        answer: "{l}.",
    },
];
const ONE: [Rule; 2] = [
    Rule {
        questions: &["[说|举|列]一{u}{k}", "[告诉我|给我|随便说]一{u}{k}"], answer: "{l}。"
    },
    Rule {
        questions: &["name {i}", "give me [an example of |]{i}", "tell me {i}", "think of {i}"],
        answer: "{l}.",
    },
];
const ODD: [Rule; 2] = [
    Rule {
        questions: &[
            "{a}、{b}、{c}，哪个不是{k}",
            "{a}、{b}、{c}[里|中]哪个不是{k}",
            "哪个不是{k}：{a}、{b}、{c}",
        ],
        answer: "{o}不是{k}。",
    },
    Rule {
        questions: &[
            "which is not {i}: {a}, {b} or {c}",
            "which one is not {i}, {a}, {b} or {c}",
            "{a}, {b}, {c}: which is not {i}",
        ],
        answer: "{o} is not {i}.",
    },
];
const BELONGS: [Rule; 2] = [
    Rule {
        questions: &[
            "{a}、{b}、{c}，哪个是{k}",
            "{a}、{b}、{c}[里|中]哪个是{k}",
            "哪个是{k}：{a}、{b}、{c}",
        ],
        answer: "{o}是{k}。",
    },
    Rule {
        questions: &[
            "which is {i}: {a}, {b} or {c}",
            "which one is {i}, {a}, {b} or {c}",
            "{a}, {b}, {c}: which is {i}",
        ],
        answer: "{o} is {i}.",
    },
];

/// A kind of things in both languages.
struct Kind {
    names: [&'static str; 3],
    unit: &'static str,
    things: Vec<[&'static str; 2]>,
}

pub(super) fn add(pairs: &mut Pairs) {
    let kinds = kinds();
    for kind in &kinds {
        let [chinese_name, one, many] = kind.names;
        for number in 1..=kind.things.len().min(6) {
            let listed = |language: usize, comma: &str| {
                kind.things[..number].iter().map(|it| it[language]).collect::<Vec<_>>().join(comma)
            };
            let named = |list: String, number: [String; 2]| {
                let [n, m] = number;
                [
                    ("l", list),
                    ("n", n),
                    ("m", m),
                    ("k", chinese_name.to_owned()),
                    ("i", one.to_owned()),
                    ("j", many.to_owned()),
                    ("u", kind.unit.to_owned()),
                ]
            };
            let count = number as u32;
            for read in
                [[chinese_count(count), english(count)], [count.to_string(), count.to_string()]]
            {
                let chinese_list = named(listed(0, "、"), read.clone());
                let english_list = named(listed(1, ", "), read);
                if number > 1 {
                    (0..10).for_each(|_| CHINESE.draw(pairs, FAMILY, &chinese_list, ""));
                    (0..10).for_each(|_| ENGLISH.draw(pairs, FAMILY, &english_list, ""));
                }
                let few = match number {
                    1 => &ONE,
                    3 => &SOME,
                    _ => continue,
                };
                (0..8).for_each(|_| few[0].draw(pairs, FAMILY, &chinese_list, ""));
                (0..8).for_each(|_| few[1].draw(pairs, FAMILY, &english_list, ""));
            }
        }
    }
    for _ in 0..14_000 {
        one_of_three(pairs, &kinds);
    }
}

/// Counted things are two of another word.
fn chinese_count(number: u32) -> String {
    if number == 2 { "两".to_owned() } else { chinese(number) }
}

fn one_of_three(pairs: &mut Pairs, kinds: &[Kind]) {
    let chosen: Vec<&Kind> = kinds.choose_multiple(&mut pairs.rng, 2).collect();
    let [kind, other] = chosen[..] else { return };
    let is_odd = pairs.rng.random_bool(0.5);
    let (many, few) = if is_odd { (kind, other) } else { (other, kind) };
    let mut things: Vec<_> = many.things.choose_multiple(&mut pairs.rng, 2).collect();
    let Some(single) = few.things.choose(&mut pairs.rng) else { return };
    things.insert(pairs.rng.random_range(0..=2), single);
    let [a, b, c] = things[..] else { return };
    for (language, rule) in if is_odd { &ODD } else { &BELONGS }.iter().enumerate() {
        let named =
            [("a", a[language]), ("b", b[language]), ("c", c[language]), ("o", single[language])];
        let names = [("k", kind.names[0]), ("i", kind.names[1])];
        let values: Vec<_> =
            named.into_iter().chain(names).map(|(name, it)| (name, it.to_owned())).collect();
        rule.draw(pairs, FAMILY, &values, &format!("{a:?}{b:?}{c:?}"));
    }
}

/// From the table of words: its third column is the kind.
fn kinds() -> Vec<Kind> {
    let mut things: BTreeMap<&str, Vec<[&str; 2]>> = BTreeMap::new();
    for row in rows(include_str!("data/words.tsv")) {
        if let [chinese, english, kind, ..] = row[..] {
            things.entry(kind).or_default().push([chinese, english]);
        }
    }
    rows(include_str!("data/kinds.tsv"))
        .into_iter()
        .filter_map(|row| {
            let [name, one, many, unit] = row[..] else { return None };
            Some(Kind { names: [name, one, many], unit, things: things.remove(name)? })
        })
        .collect()
}
