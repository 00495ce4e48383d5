//! Counting up and down, what comes next, numbers as words, and how many things are listed.

use rand::{Rng as _, seq::IndexedRandom as _};

use super::{
    pairs::Pairs,
    rules::{Rule, chinese, english},
};

const FAMILY: &str = "counting";
const READING: &str = "number words";

const COUNT: [Rule; 2] = [
    Rule {
        questions: &[
            "从{a}数到{b}",
            "请从{a}数到{b}",
            "数数，从{a}到{b}",
            "[帮我|]从{a}一直数到{b}",
        ],
        answer: "{l}。",
    },
    Rule {
        questions: &[
            "count from {a} to {b}",
            "count {a} to {b}",
            "list the numbers from {a} to {b}",
            "say the numbers from {a} to {b}",
        ],
        answer: "{m}.",
    },
];
const NEXT: [Rule; 4] = [
    Rule {
        questions: &[
            "{a}后面是[几|多少]",
            "{a}[之后|后面的数|的下一个数]是[几|多少]",
            "{a}的后一个数是[几|多少]",
        ],
        answer: "{a}后面是{x}。",
    },
    Rule {
        questions: &[
            "{x}前面是[几|多少]",
            "{x}[之前|前面的数|的上一个数]是[几|多少]",
            "{x}的前一个数是[几|多少]",
        ],
        answer: "{x}前面是{a}。",
    },
    Rule {
        questions: &[
            "[what|which number] comes after {a}",
            "[what|which] number [follows|is after] {a}",
            "what is the next number after {a}",
            "what is [right|] after {a}",
        ],
        answer: "{x} comes after {a}.",
    },
    Rule {
        questions: &[
            "[what|which number] comes before {x}",
            "[what|which] number is [right|] before {x}",
            "what is [right|] before {x}",
        ],
        answer: "{a} comes before {x}.",
    },
];
const BETWEEN: [Rule; 2] = [
    Rule {
        questions: &["{a}和{b}[之间|中间]是[几|多少]", "{a}和{b}中间的数是[几|多少]"],
        answer: "{a}和{b}之间是{x}。",
    },
    Rule {
        questions: &[
            "[what|which number] is between {a} and {b}",
            "which number lies between {a} and {b}",
        ],
        answer: "{x} is between {a} and {b}.",
    },
];
const SERIES: [Rule; 2] = [
    Rule {
        questions: &[
            "{a}、{b}、{c}，下一个[数|]是[几|多少]",
            "{a}、{b}、{c}后面是几",
            "找规律：{a}、{b}、{c}、？",
        ],
        answer: "下一个是{d}。",
    },
    Rule {
        questions: &[
            "what comes next: {a}, {b}, {c}",
            "{a}, {b}, {c}, what comes next",
            "continue: {a}, {b}, {c}",
        ],
        answer: "{d} comes next.",
    },
];
const READ: [Rule; 6] = [
    Rule {
        questions: &[
            "{a}用[中文|汉字]怎么[写|说]",
            "{a}的汉字怎么写",
            "把{a}写成[汉字|中文]",
            "{a}用汉语怎么读",
        ],
        answer: "{a}写作{z}。",
    },
    Rule {
        questions: &[
            "{z}是[几|多少]",
            "{z}用数字怎么写",
            "把{z}写成[数字|阿拉伯数字]",
            "{z}的阿拉伯数字是什么",
        ],
        answer: "{z}是{a}。",
    },
    Rule {
        questions: &[
            "how do you [write|say] {a} in words",
            "write {a} in words",
            "spell the number {a}",
            "{a} in words",
        ],
        answer: "{a} is {e}.",
    },
    Rule {
        questions: &[
            "write {e} [in|as] [digits|numbers|a number]",
            "what number is {e}",
            "{e} in [digits|figures]",
        ],
        answer: "{e} is {a}.",
    },
    Rule {
        questions: &[
            "{a}用英语怎么说",
            "{a}的英文[是什么|怎么说]",
            "{z}用英[语|文]怎么说",
            "{z}的英文是什么",
        ],
        answer: "{z}的英文是 {e}。",
    },
    Rule {
        questions: &[
            "[what is|what's] {e} in Chinese",
            "how do you say {e} in Chinese",
            "{e}用中文怎么说",
        ],
        answer: "{e} is {z} in Chinese.",
    },
];
const HOW_MANY: [Rule; 2] = [
    Rule {
        questions: &[
            "{l}，[一共|]有几[个|样]",
            "数一数有几[个|样]：{l}",
            "[这里|下面]有几[个|样][东西|]：{l}",
        ],
        answer: "有{n}个。",
    },
    Rule {
        questions: &[
            "how many are there: {m}",
            "how many things are there: {m}",
            "count them: {m}",
            "how many [words|things] do I list: {m}",
        ],
        answer: "There are {n}.",
    },
];
const THINGS: [(&str, &str); 24] = [
    ("苹果", "apple"),
    ("猫", "cat"),
    ("书", "book"),
    ("星星", "star"),
    ("花", "flower"),
    ("鱼", "fish"),
    ("狗", "dog"),
    ("树", "tree"),
    ("杯子", "cup"),
    ("球", "ball"),
    ("梨", "pear"),
    ("鸟", "bird"),
    ("帽子", "hat"),
    ("桌子", "table"),
    ("船", "ship"),
    ("灯", "lamp"),
    ("鸡蛋", "egg"),
    ("笔", "pen"),
    ("马", "horse"),
    ("山", "mountain"),
    ("门", "door"),
    ("钥匙", "key"),
    ("糖", "sweet"),
    ("钟", "clock"),
];

pub(super) fn add(pairs: &mut Pairs) {
    for a in 0..=60_u32 {
        for b in 0..=60_u32 {
            if a.abs_diff(b) > 1 && (a.abs_diff(b) <= 7 || (a.min(b) <= 1 && a.max(b) <= 20)) {
                count(pairs, a, b);
            }
        }
    }
    for a in 0..=200_u32 {
        let named = [("a", a), ("x", a + 1), ("b", a + 2)].map(|(name, it)| (name, it.to_string()));
        for rule in &NEXT {
            (0..7).for_each(|_| rule.draw(pairs, FAMILY, &named, &format!("after {a}")));
        }
        for rule in &BETWEEN {
            (0..5).for_each(|_| rule.draw(pairs, FAMILY, &named, &format!("between {a}")));
        }
        let values = [("a", a.to_string()), ("z", chinese(a)), ("e", english(a))];
        for rule in &READ {
            let draws = if a <= 100 { 7 } else { 3 };
            (0..draws).for_each(|_| rule.draw(pairs, READING, &values, &format!("read {a}")));
        }
    }
    for (start, step) in (0..40_u32).flat_map(|start| [1, 2, 3, 5, 10].map(|step| (start, step))) {
        let named = [("a", 0), ("b", 1), ("c", 2), ("d", 3)];
        let values = named.map(|(name, place)| (name, (start + place * step).to_string()));
        for rule in &SERIES {
            (0..4).for_each(|_| rule.draw(pairs, FAMILY, &values, &format!("{start} by {step}")));
        }
    }
    for _ in 0..7000 {
        how_many(pairs);
    }
}

fn count(pairs: &mut Pairs, a: u32, b: u32) {
    let numbers: Vec<String> = if a < b {
        (a..=b).map(|it| it.to_string()).collect()
    } else {
        (b..=a).rev().map(|it| it.to_string()).collect()
    };
    let values = [
        ("a", a.to_string()),
        ("b", b.to_string()),
        ("l", numbers.join("、")),
        ("m", numbers.join(", ")),
    ];
    for rule in &COUNT {
        (0..4).for_each(|_| rule.draw(pairs, FAMILY, &values, &format!("{a} to {b}")));
    }
}

fn how_many(pairs: &mut Pairs) {
    let number = pairs.rng.random_range(2..=7_usize);
    let things: Vec<_> = if pairs.rng.random_bool(0.5) {
        vec![THINGS.choose(&mut pairs.rng).copied().unwrap_or(THINGS[0]); number]
    } else {
        THINGS.choose_multiple(&mut pairs.rng, number).copied().collect()
    };
    let (chinese, english): (Vec<&str>, Vec<&str>) = things.into_iter().unzip();
    let values = [("l", chinese.join("、")), ("m", english.join(", ")), ("n", number.to_string())];
    let rule = &HOW_MANY[pairs.rng.random_range(0..2)];
    rule.draw(pairs, FAMILY, &values, &values[0].1);
}
