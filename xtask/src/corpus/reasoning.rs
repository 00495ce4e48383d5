//! Small stories with one thing to find out: sums in words, who is taller, where something is.

use rand::{Rng as _, seq::IndexedRandom as _};

use super::{
    facts::{chinese_name, english_name},
    pairs::Pairs,
    rules::Rule,
};

const FAMILY: &str = "reasoning";

/// Things to have: counted in Chinese, one and more in English.
const THINGS: [(&str, &str); 16] = [
    ("个苹果", "apples"),
    ("本书", "books"),
    ("支笔", "pens"),
    ("个球", "balls"),
    ("块糖", "sweets"),
    ("朵花", "flowers"),
    ("条鱼", "fish"),
    ("只猫", "cats"),
    ("个鸡蛋", "eggs"),
    ("个杯子", "cups"),
    ("张票", "tickets"),
    ("枚硬币", "coins"),
    ("个橙子", "oranges"),
    ("块饼干", "biscuits"),
    ("只鸟", "birds"),
    ("张邮票", "stamps"),
];
/// More, the most, less, the least of something that two people have.
const MORE: [[&str; 6]; 6] = [
    ["高", "最高", "最矮", "taller", "tallest", "shortest"],
    ["大", "最大", "最小", "older", "oldest", "youngest"],
    ["快", "最快", "最慢", "faster", "fastest", "slowest"],
    ["重", "最重", "最轻", "heavier", "heaviest", "lightest"],
    ["强", "最强", "最弱", "stronger", "strongest", "weakest"],
    ["富", "最富", "最穷", "richer", "richest", "poorest"],
];
const GIVEN: [Rule; 2] = [
    Rule {
        questions: &[
            "{p}有{a}{t}，又买了{b}{u}，现在有几{u}",
            "{p}有{a}{t}，妈妈又给了{b}{u}，一共有几{u}",
            "{p}有{a}{t}，{q}有{b}{u}，他们一共有几{u}",
            "{p}原来有{a}{t}，又得到{b}{u}，现在有多少{u}",
        ],
        answer: "一共有{r}{t}。",
    },
    Rule {
        questions: &[
            "{p} has {a} {t} and gets {b} more, how many {t} does {p} have",
            "{p} has {a} {t} and buys {b} more, how many {t} does {p} have now",
            "{p} has {a} {t} and {q} has {b} {t}, how many {t} do they have together",
            "{p} has {a} {t}. {q} gives {p} {b} more. How many {t} does {p} have?",
        ],
        answer: "{r} {t}.",
    },
];
const TAKEN: [Rule; 2] = [
    Rule {
        questions: &[
            "{p}有{a}{t}，给了{q}{b}{u}，还剩几{u}",
            "{p}有{a}{t}，丢了{b}{u}，还剩几{u}",
            "{p}有{a}{t}，送出去{b}{u}，还有几{u}",
            "{p}原来有{a}{t}，用掉了{b}{u}，还剩多少{u}",
        ],
        answer: "还剩{r}{t}。",
    },
    Rule {
        questions: &[
            "{p} has {a} {t} and gives {b} to {q}, how many {t} are left",
            "{p} has {a} {t} and loses {b}, how many {t} are left",
            "{p} had {a} {t} and gave away {b}, how many {t} does {p} have now",
            "{p} has {a} {t}. {p} gives {q} {b} of them. How many {t} are left?",
        ],
        answer: "{r} {t} are left.",
    },
];
const EACH: [Rule; 2] = [
    Rule {
        questions: &[
            "一个盒子里有{a}{t}，{b}个盒子里有几{u}",
            "每人{a}{t}，{b}个人一共有几{u}",
            "每天{a}{t}，{b}天一共几{u}",
        ],
        answer: "一共有{r}{t}。",
    },
    Rule {
        questions: &[
            "a box holds {a} {t}, how many {t} are in {b} boxes",
            "there are {b} bags with {a} {t} each, how many {t} are there",
            "{p} buys {a} {t} a day, how many {t} in {b} days",
        ],
        answer: "{r} {t}.",
    },
];
const ORDER: [[Rule; 2]; 2] = [
    [
        Rule {
            questions: &[
                "{x}比{y}{a}，{y}比{z}{a}，谁{b}",
                "{x}比{y}{a}，{y}比{z}{a}，[三个人里|他们中|]谁{b}",
                "如果{x}比{y}{a}，{y}比{z}{a}，那么谁{b}",
            ],
            answer: "{x}{b}。",
        },
        Rule {
            questions: &[
                "{x}比{y}{a}，{y}比{z}{a}，谁{c}",
                "{x}比{y}{a}，{y}比{z}{a}，[三个人里|他们中|]谁{c}",
                "如果{x}比{y}{a}，{y}比{z}{a}，那么谁{c}",
            ],
            answer: "{z}{c}。",
        },
    ],
    [
        Rule {
            questions: &[
                "{x} is {a} than {y} and {y} is {a} than {z}, who is the {b}",
                "{x} is {a} than {y}. {y} is {a} than {z}. Who is the {b}?",
                "if {x} is {a} than {y} and {y} is {a} than {z}, who is the {b}",
            ],
            answer: "{x} is the {b}.",
        },
        Rule {
            questions: &[
                "{x} is {a} than {y} and {y} is {a} than {z}, who is the {c}",
                "{x} is {a} than {y}. {y} is {a} than {z}. Who is the {c}?",
                "if {x} is {a} than {y} and {y} is {a} than {z}, who is the {c}",
            ],
            answer: "{z} is the {c}.",
        },
    ],
];
const TWO: [[Rule; 2]; 2] = [
    [
        Rule {
            questions: &["{x}比{y}{a}，谁更{a}", "{x}比{y}{a}，谁比较{a}"],
            answer: "{x}更{a}。",
        },
        Rule { questions: &["{x}比{y}{a}，{y}比{x}{a}吗"], answer: "不，{x}比{y}{a}。" },
    ],
    [
        Rule {
            questions: &["{x} is {a} than {y}, who is {a}", "{x} is {a} than {y}. Who is {a}?"],
            answer: "{x} is {a}.",
        },
        Rule {
            questions: &["{x} is {a} than {y}, is {y} {a} than {x}"],
            answer: "No, {x} is {a} than {y}.",
        },
    ],
];
const SYLLOGISM: [Rule; 2] = [
    Rule {
        questions: &[
            "所有的{a}都{b}，{n}是{a}，{n}{b}吗",
            "{a}都{b}，{n}是一只{a}，{n}{b}吗",
            "如果{a}都{b}，{n}是{a}，那么{n}{b}吗",
        ],
        answer: "是的，{n}{b}。",
    },
    Rule {
        questions: &[
            "all {c}s {d}, {n} is a {c}, does {n} {d}",
            "if all {c}s {d} and {n} is a {c}, does {n} {d}",
            "every {c} can {d}. {n} is a {c}. Does {n} {d}?",
        ],
        answer: "Yes, {n} does.",
    },
];
const BEASTS: [(&str, &str); 8] = [
    ("猫", "cat"),
    ("狗", "dog"),
    ("鸟", "bird"),
    ("马", "horse"),
    ("老虎", "tiger"),
    ("兔子", "rabbit"),
    ("熊", "bear"),
    ("鸭子", "duck"),
];
const HABITS: [(&str, &str); 7] = [
    ("会跑", "run"),
    ("会叫", "sing"),
    ("会游泳", "swim"),
    ("喜欢睡觉", "sleep"),
    ("会跳", "jump"),
    ("喜欢玩", "play"),
    ("喝水", "drink water"),
];

pub(super) fn add(pairs: &mut Pairs) {
    for _ in 0..9000 {
        story(pairs, 0);
        story(pairs, 1);
    }
    for _ in 0..5000 {
        order(pairs, 0);
        order(pairs, 1);
    }
    for _ in 0..700 {
        let (beast, habit) = (BEASTS.choose(&mut pairs.rng), HABITS.choose(&mut pairs.rng));
        let (Some(beast), Some(habit)) = (beast, habit) else { continue };
        for (language, rule) in SYLLOGISM.iter().enumerate() {
            let n = name(pairs, language);
            let values =
                [("a", beast.0), ("b", habit.0), ("c", beast.1), ("d", habit.1), ("n", &n)]
                    .map(|(name, it)| (name, it.to_owned()));
            rule.draw(pairs, FAMILY, &values, &n);
        }
    }
}

fn story(pairs: &mut Pairs, language: usize) {
    let rng = &mut pairs.rng;
    let (some, other) = (rng.random_range(1..=20_u32), rng.random_range(2..=10_u32));
    let (rule, first, result) = match rng.random_range(0..5) {
        0 | 1 => (&GIVEN, some + 1, some + 1 + other),
        2 | 3 => (&TAKEN, some + other + 1, some + 1),
        _ => (&EACH, some % 9 + 2, (some % 9 + 2) * other),
    };
    let (chinese, english) = THINGS.choose(rng).copied().unwrap_or(THINGS[0]);
    let unit: String = chinese.chars().take(1).collect();
    let (p, q) = two_names(pairs, language);
    let thing = if language == 0 { chinese } else { english };
    let values = [
        ("a", first.to_string()),
        ("b", other.to_string()),
        ("r", result.to_string()),
        ("t", thing.to_owned()),
        ("u", unit),
        ("p", p),
        ("q", q),
    ];
    rule[language].draw(pairs, FAMILY, &values, &format!("{first} {other} {result} {thing}"));
}

fn order(pairs: &mut Pairs, language: usize) {
    let Some(more) = MORE.choose(&mut pairs.rng) else { return };
    let words = &more[3 * language..][..3];
    let (x, y) = two_names(pairs, language);
    let z = name(pairs, language);
    if z == x || z == y {
        return;
    }
    let rules = if pairs.rng.random_bool(0.7) { &ORDER } else { &TWO };
    let rule = &rules[language][usize::from(pairs.rng.random_bool(0.5))];
    let content = format!("{x} {y}");
    let values =
        [("a", words[0]), ("b", words[1]), ("c", words[2]), ("x", &x), ("y", &y), ("z", &z)]
            .map(|(name, it)| (name, it.to_owned()));
    rule.draw(pairs, FAMILY, &values, &content);
}

fn name(pairs: &mut Pairs, language: usize) -> String {
    if language == 0 { chinese_name(&mut pairs.rng) } else { english_name(&mut pairs.rng) }
}

/// Two that are not the same.
fn two_names(pairs: &mut Pairs, language: usize) -> (String, String) {
    let first = name(pairs, language);
    loop {
        let second = name(pairs, language);
        if second != first {
            return (first, second);
        }
    }
}
