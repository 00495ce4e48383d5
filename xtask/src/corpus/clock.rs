//! Times of day: as they are said and written, and what they are an hour or some minutes later.

use rand::Rng as _;

use super::{
    pairs::Pairs,
    rules::{Rule, chinese, english},
};

const FAMILY: &str = "time";

const LATER: [Rule; 4] = [
    Rule {
        questions: &[
            "{a}点过{n}[个|]小时是几点",
            "现在{a}点，{n}[个|]小时后[是|]几点",
            "{a}点[再过|之后]{n}小时是几点",
            "现在是{a}点，再过{n}小时是几点",
        ],
        answer: "是{b}点。",
    },
    Rule {
        questions: &["{b}点的{n}[个|]小时[之前|以前|前]是几点", "现在{b}点，{n}[个|]小时前是几点"],
        answer: "是{a}点。",
    },
    Rule {
        questions: &[
            "what time is it {n} hours after {a} o'clock",
            "it is {a} o'clock, what time is it in {n} hours",
            "it's {a} o'clock now, what time will it be in {n} hours",
        ],
        answer: "It is {b} o'clock.",
    },
    Rule {
        questions: &[
            "what time is it {n} hours before {b} o'clock",
            "it is {b} o'clock, what time was it {n} hours ago",
        ],
        answer: "It is {a} o'clock.",
    },
];
const SAID: [Rule; 4] = [
    Rule {
        questions: &["{z}用数字怎么写", "把{z}写成数字", "{z}是几点几分", "{z}怎么用数字表示"],
        answer: "{z}是{t}。",
    },
    Rule {
        questions: &["{t}怎么读", "{t}用中文怎么[说|读]", "{t}怎么念"], answer: "{t}读作{z}。"
    },
    Rule {
        questions: &[
            "write {e} in [digits|numbers]",
            "what is {e} in [digits|numbers]",
            "{e} in digits",
        ],
        answer: "{e} is {t}.",
    },
    Rule {
        questions: &[
            "how do you say {t}",
            "how do you read {t}",
            "how do I say {t} in English",
            "read the time {t}",
        ],
        answer: "{t} is {e}.",
    },
];
const MINUTES: [Rule; 2] = [
    Rule {
        questions: &["{t}过{n}分钟是几点", "现在{t}，{n}分钟后是几点", "{t}再过{n}分钟是几点几分"],
        answer: "是{u}。",
    },
    Rule {
        questions: &[
            "what time is it {n} minutes after {t}",
            "it is {t}, what time is it in {n} minutes",
            "it's {t} now, what time will it be in {n} minutes",
        ],
        answer: "It is {u}.",
    },
];
const HALVES: [Rule; 2] = [
    Rule {
        questions: &["{a}点到{b}点[有|是]几个小时", "从{a}点到{b}点有多久", "{a}点到{b}点多长时间"],
        answer: "{n}个小时。",
    },
    Rule {
        questions: &[
            "how many hours are [there|] from {a} to {b} o'clock",
            "how long is it from {a} o'clock to {b} o'clock",
        ],
        answer: "{n} hours.",
    },
];
const DAY: [Rule; 2] = [
    Rule {
        questions: &["{a}是几点", "{a}是[下午|晚上]几点", "{a}用十二小时制怎么说"],
        answer: "{a}是{p}{b}点。",
    },
    Rule {
        questions: &["what is {a} in [12-hour time|the 12-hour clock]", "{a} in 12-hour time"],
        answer: "{a} is {b} {q}.",
    },
];

pub(super) fn add(pairs: &mut Pairs) {
    for hour in 1..=12_u32 {
        for hours in 1..=11_u32 {
            let later = (hour + hours - 1) % 12 + 1;
            let values =
                [("a", hour), ("n", hours), ("b", later)].map(|(name, it)| (name, it.to_string()));
            // One hour, one o'clock: the words do not agree with it.
            for rule in if hours > 1 { &LATER[..] } else { &LATER[..2] } {
                (0..8).for_each(|_| {
                    rule.draw(pairs, FAMILY, &values, &format!("{hour} and {hours}"));
                });
            }
            if hour + hours <= 12 && hours > 1 {
                for rule in &HALVES {
                    (0..6).for_each(|_| {
                        rule.draw(pairs, FAMILY, &values, &format!("{hour} to {later}"));
                    });
                }
            }
        }
        for minute in (0..60_u32).step_by(5) {
            said(pairs, hour, minute);
            for _ in 0..20 {
                let minutes = pairs.rng.random_range(1..=9) * 5;
                let (sum, t) = (minute + minutes, format!("{hour}:{minute:02}"));
                let u = format!("{}:{:02}", if sum >= 60 { hour % 12 + 1 } else { hour }, sum % 60);
                let content = format!("{t} {minutes}");
                let values = [("t", t), ("u", u), ("n", minutes.to_string())];
                let rule = &MINUTES[pairs.rng.random_range(0..2)];
                rule.draw(pairs, FAMILY, &values, &content);
            }
        }
    }
    for hour in 13..=23_u32 {
        let (p, q) = if hour < 18 { ("下午", "pm") } else { ("晚上", "pm") };
        let values = [
            ("a", format!("{hour}:00")),
            ("b", (hour - 12).to_string()),
            ("p", p.into()),
            ("q", q.into()),
        ];
        for rule in &DAY {
            (0..20).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
        }
    }
}

/// The words for a time in both languages.
fn said(pairs: &mut Pairs, hour: u32, minute: u32) {
    let next = hour % 12 + 1;
    let z = match minute {
        0 => format!("{}点", hour_chinese(hour)),
        5 => format!("{}点零五分", hour_chinese(hour)),
        15 => format!("{}点一刻", hour_chinese(hour)),
        30 => format!("{}点半", hour_chinese(hour)),
        45 => format!("{}点三刻", hour_chinese(hour)),
        _ => format!("{}点{}分", hour_chinese(hour), chinese(minute)),
    };
    let e = match minute {
        0 => format!("{} o'clock", english(hour)),
        15 => format!("quarter past {}", english(hour)),
        30 => format!("half past {}", english(hour)),
        45 => format!("quarter to {}", english(next)),
        1..30 => format!("{} past {}", english(minute), english(hour)),
        _ => format!("{} to {}", english(60 - minute), english(next)),
    };
    let t = format!("{hour}:{minute:02}");
    let content = if minute.is_multiple_of(15) { String::new() } else { t.clone() };
    let values = [("z", z), ("e", e), ("t", t)];
    for rule in &SAID {
        (0..10).for_each(|_| rule.draw(pairs, FAMILY, &values, &content));
    }
}

fn hour_chinese(hour: u32) -> String {
    if hour == 2 { "两".to_owned() } else { chinese(hour) }
}
