//! Days of the week, months, seasons, dates and leap years: what follows from one that is given.

use rand::{Rng as _, seq::IndexedRandom as _};

use super::{pairs::Pairs, rules::Rule};

const FAMILY: &str = "calendar";

const CHINESE_DAYS: [&str; 7] =
    ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"];
const ENGLISH_DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// With its days, and its season in the north.
const MONTHS: [(&str, &str, u32, usize); 12] = [
    ("一月", "January", 31, 3),
    ("二月", "February", 28, 3),
    ("三月", "March", 31, 0),
    ("四月", "April", 30, 0),
    ("五月", "May", 31, 0),
    ("六月", "June", 30, 1),
    ("七月", "July", 31, 1),
    ("八月", "August", 31, 1),
    ("九月", "September", 30, 2),
    ("十月", "October", 31, 2),
    ("十一月", "November", 30, 2),
    ("十二月", "December", 31, 3),
];
const SEASONS: [(&str, &str); 4] =
    [("春天", "spring"), ("夏天", "summer"), ("秋天", "autumn"), ("冬天", "winter")];

/// What comes after `{a}` is `{b}`.
const AROUND: [Rule; 4] = [
    Rule {
        questions: &[
            "{a}后面是[什么|哪个|哪一个]",
            "{a}[之后|过后|的下一个]是什么",
            "{a}过了是什么",
        ],
        answer: "{a}后面是{b}。",
    },
    Rule {
        questions: &["{b}前面是[什么|哪个|哪一个]", "{b}[之前|的前一个|的上一个]是什么"],
        answer: "{b}前面是{a}。",
    },
    Rule {
        questions: &[
            "what comes after {c}",
            "what is after {c}",
            "what follows {c}",
            "which one comes [right|] after {c}",
        ],
        answer: "{d} comes after {c}.",
    },
    Rule {
        questions: &[
            "what comes before {d}",
            "what is before {d}",
            "which one comes [right|] before {d}",
        ],
        answer: "{c} comes before {d}.",
    },
];
const DAYS: [Rule; 10] = [
    Rule {
        questions: &[
            "今天是{a}，明天是星期几",
            "今天{a}，明天[星期|周|礼拜]几",
            "如果今天是{a}，明天是星期几",
        ],
        answer: "明天是{1}。",
    },
    Rule {
        questions: &[
            "今天是{a}，昨天是星期几",
            "今天{a}，昨天[星期|周|礼拜]几",
            "如果今天是{a}，昨天是星期几",
        ],
        answer: "昨天是{6}。",
    },
    Rule {
        questions: &[
            "今天是{a}，后天是星期几",
            "今天{a}，后天[星期|周|礼拜]几",
            "如果今天是{a}，后天是星期几",
        ],
        answer: "后天是{2}。",
    },
    Rule {
        questions: &["今天是{a}，前天是星期几", "今天{a}，前天[星期|周|礼拜]几"],
        answer: "前天是{5}。",
    },
    Rule {
        questions: &[
            "[if|] today is {c}, what day is tomorrow",
            "it is {c} today, what day is it tomorrow",
            "today is {c}, what is tomorrow",
        ],
        answer: "Tomorrow is {e1}.",
    },
    Rule {
        questions: &[
            "[if|] today is {c}, what day was yesterday",
            "it is {c} today, what day was it yesterday",
            "today is {c}, what was yesterday",
        ],
        answer: "Yesterday was {e6}.",
    },
    Rule {
        questions: &["[if|] today is {c}, what day is the day after tomorrow"],
        answer: "The day after tomorrow is {e2}.",
    },
    Rule {
        questions: &["{a}是[周末|休息日]吗", "{a}上班吗", "{a}是工作日吗"],
        answer: "{a}是{w}。",
    },
    Rule {
        questions: &[
            "is {c} a [weekday|working day]",
            "is {c} part of the weekend",
            "is {c} on the weekend",
        ],
        answer: "{c} is {v}.",
    },
    Rule {
        questions: &["{a}用英语怎么说", "{a}的英文[是什么|怎么写]"],
        answer: "{a}的英文是 {c}。",
    },
];
const IN_DAYS: [Rule; 2] = [
    Rule {
        questions: &[
            "今天是{a}，{n}天后是星期几",
            "今天{a}，再过{n}天[是|]星期几",
            "如果今天是{a}，{n}天以后是星期几",
        ],
        answer: "{n}天后是{b}。",
    },
    Rule {
        questions: &[
            "[if|] today is {c}, what day is it in {n} days",
            "today is {c}, what day is it {n} days later",
            "today is {c}, which day is it in {n} days",
        ],
        answer: "In {n} days it is {d}.",
    },
];
const MONTH: [Rule; 6] = [
    Rule {
        questions: &["{a}有[多少|几]天", "{a}一共[有|]多少天", "{n}月有[多少|几]天"],
        answer: "{a}有{l}天。",
    },
    Rule {
        questions: &[
            "how many days does {c} have",
            "how many days are [in|there in] {c}",
            "how long is {c}",
            "days in {c}",
        ],
        answer: "{c} has {l} days.",
    },
    Rule {
        questions: &["{a}是什么季节", "{n}月是什么季节", "{a}在哪个季节"],
        answer: "{a}是{s}。",
    },
    Rule {
        questions: &["{a}的英文[是什么|怎么写]", "{n}月用英[语|文]怎么说", "{a}用英语怎么说"],
        answer: "{a}的英文是 {c}。",
    },
    Rule {
        questions: &["{c}是几月", "{c}是什么意思", "{c}用中文怎么说"], answer: "{c} 是{a}。"
    },
    Rule {
        questions: &[
            "which month [of the year|] is {c}",
            "what number is {c}",
            "what [number|] month is {c}",
        ],
        answer: "{c} is month {n}.",
    },
];
const DATE: [Rule; 4] = [
    Rule {
        questions: &[
            "{a}的[第二天|后一天|下一天]是几月几[号|日]",
            "{a}的[第二天|后一天]是哪天",
            "今天是{a}，明天是几[月几|]号",
        ],
        answer: "是{b}。",
    },
    Rule {
        questions: &[
            "{b}的[前一天|上一天]是几月几[号|日]",
            "{b}的前一天是哪天",
            "今天是{b}，昨天是几[月几|]号",
        ],
        answer: "是{a}。",
    },
    Rule {
        questions: &[
            "[what|which] [date|day] comes after {c}",
            "what is the [day|date] after {c}",
            "today is {c}, what is the date tomorrow",
        ],
        answer: "It is {d}.",
    },
    Rule {
        questions: &[
            "[what|which] [date|day] comes before {d}",
            "what is the [day|date] before {d}",
            "today is {d}, what was the date yesterday",
        ],
        answer: "It is {c}.",
    },
];
const LEAP: [[Rule; 2]; 2] = [
    [
        Rule {
            questions: &["{a}年是闰年吗", "{a}年是不是闰年", "{a}是闰年吗"],
            answer: "{a}年不是闰年。",
        },
        Rule {
            questions: &["is {a} a leap year", "was {a} a leap year"],
            answer: "{a} is not a leap year.",
        },
    ],
    [
        Rule {
            questions: &["{a}年是闰年吗", "{a}年是不是闰年", "{a}是闰年吗"],
            answer: "{a}年是闰年。",
        },
        Rule {
            questions: &["is {a} a leap year", "was {a} a leap year"],
            answer: "{a} is a leap year.",
        },
    ],
];
const YEARS: [Rule; 4] = [
    Rule {
        questions: &["{a}年的[下一年|后一年|第二年]是哪[一|]年", "今年是{a}年，明年是哪[一|]年"],
        answer: "是{b}年。",
    },
    Rule {
        questions: &["{b}年的[上一年|前一年]是哪[一|]年", "今年是{b}年，去年是哪[一|]年"],
        answer: "是{a}年。",
    },
    Rule {
        questions: &["which year comes after {a}", "this year is {a}, what is next year"],
        answer: "It is {b}.",
    },
    Rule {
        questions: &["which year comes before {b}", "this year is {b}, what was last year"],
        answer: "It is {a}.",
    },
];
const AGE: [Rule; 2] = [
    Rule {
        questions: &[
            "我今年{a}岁，{n}年后我几岁",
            "小明今年{a}岁，{n}年后他几岁",
            "今年{a}岁，再过{n}年几岁",
        ],
        answer: "{b}岁。",
    },
    Rule {
        questions: &[
            "I am {a} [years old|], how old will I be in {n} years",
            "Tom is {a}, how old will he be in {n} years",
        ],
        answer: "{b} years old.",
    },
];
const LISTS: [(Rule, usize); 6] = [
    (
        Rule {
            questions: &["一周有哪[几|些]天", "[说出|列出]一[周|星期]的每一天", "一个星期有哪几天"],
            answer: "星期一、星期二、星期三、星期四、星期五、星期六、星期日。",
        },
        60,
    ),
    (
        Rule {
            questions: &[
                "[name|list] the days of the week",
                "what are the [seven|] days of the week",
                "list the days",
            ],
            answer: "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday.",
        },
        60,
    ),
    (
        Rule {
            questions: &["一年有哪[些|几个]月[份|]", "[说出|列出]十二个月"],
            answer: "一月、二月、三月、四月、五月、六月、七月、八月、九月、十月、十一月、十二月。",
        },
        60,
    ),
    (
        Rule {
            questions: &[
                "[name|list] the [twelve|] months [of the year|]",
                "what are the months of the year",
            ],
            answer: "January, February, March, April, May, June, July, August, September, October, November, December.",
        },
        60,
    ),
    (
        Rule {
            questions: &[
                "一年有哪[几个|四个|些]季节",
                "四季是[什么|哪四个]",
                "[说出|列出]四个季节",
            ],
            answer: "春天、夏天、秋天、冬天。",
        },
        60,
    ),
    (
        Rule {
            questions: &[
                "[name|list] the [four|] seasons",
                "what are the [four|] seasons [of the year|]",
            ],
            answer: "Spring, summer, autumn, winter.",
        },
        60,
    ),
];

pub(super) fn add(pairs: &mut Pairs) {
    let days: Vec<_> = CHINESE_DAYS.into_iter().zip(ENGLISH_DAYS).collect();
    let short: Vec<_> = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
        .into_iter()
        .zip(ENGLISH_DAYS)
        .collect();
    let months: Vec<_> = MONTHS.iter().map(|it| (it.0, it.1)).collect();
    for names in [&days, &short, &months, &SEASONS.to_vec()] {
        round(pairs, names);
    }
    for names in [&days, &short] {
        weekdays(pairs, names);
    }
    for (place, (name, english_name, length, season)) in MONTHS.into_iter().enumerate() {
        let values = [
            ("a", name.to_owned()),
            ("c", english_name.to_owned()),
            ("l", length.to_string()),
            ("n", (place + 1).to_string()),
            ("s", SEASONS[season].0.to_owned()),
        ];
        for rule in &MONTH {
            (0..40).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
        }
    }
    for (rule, draws) in &LISTS {
        (0..*draws).for_each(|_| rule.draw(pairs, FAMILY, &[], ""));
    }
    dates(pairs);
    years(pairs);
}

/// What comes after and before each of the names, which go round and round.
fn round(pairs: &mut Pairs, names: &[(&str, &str)]) {
    for (place, (chinese, english)) in names.iter().enumerate() {
        let after = names[(place + 1) % names.len()];
        let values = [("a", *chinese), ("c", *english), ("b", after.0), ("d", after.1)];
        let values = values.map(|(name, it)| (name, it.to_owned()));
        for rule in &AROUND {
            (0..24).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
        }
    }
}

fn weekdays(pairs: &mut Pairs, names: &[(&str, &str)]) {
    for (place, (name, english_name)) in names.iter().enumerate() {
        let later = |days: usize| names[(place + days) % 7];
        let is_weekend = place > 4;
        let values = [
            ("a", (*name).to_owned()),
            ("c", (*english_name).to_owned()),
            ("1", later(1).0.to_owned()),
            ("2", later(2).0.to_owned()),
            ("5", later(5).0.to_owned()),
            ("6", later(6).0.to_owned()),
            ("e1", later(1).1.to_owned()),
            ("e2", later(2).1.to_owned()),
            ("e6", later(6).1.to_owned()),
            ("w", if is_weekend { "周末" } else { "工作日" }.to_owned()),
            ("v", if is_weekend { "on the weekend" } else { "a weekday" }.to_owned()),
        ];
        for rule in &DAYS {
            (0..24).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
        }
        for days in 1..=10_usize {
            let (chinese_later, english_later) = later(days);
            let named =
                [("a", *name), ("c", *english_name), ("b", chinese_later), ("d", english_later)];
            let values: Vec<_> = named
                .into_iter()
                .map(|(name, it)| (name, it.to_owned()))
                .chain([("n", days.to_string())])
                .collect();
            for rule in &IN_DAYS {
                let content =
                    if days > 2 { format!("{english_name} {days}") } else { String::new() };
                (0..10).for_each(|_| rule.draw(pairs, FAMILY, &values, &content));
            }
        }
    }
}

/// Every day of a year, and the day after it.
fn dates(pairs: &mut Pairs) {
    for (month, (_, english_name, length, _)) in MONTHS.into_iter().enumerate() {
        for day in 1..=length {
            // The end of February depends on the year.
            if month == 1 && day == 28 {
                continue;
            }
            let ends = day == length;
            let (next_month, next) = if ends { ((month + 1) % 12, 1) } else { (month, day + 1) };
            let values = [
                ("a", format!("{}月{day}日", month + 1)),
                ("b", format!("{}月{next}日", next_month + 1)),
                ("c", format!("{english_name} {day}")),
                ("d", format!("{} {next}", MONTHS[next_month].1)),
            ];
            let content = if ends { String::new() } else { format!("{english_name} {day}") };
            for rule in &DATE {
                (0..6).for_each(|_| rule.draw(pairs, FAMILY, &values, &content));
            }
        }
    }
}

fn years(pairs: &mut Pairs) {
    for year in 1900..2100_u32 {
        let is_leap =
            year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let values = [("a", year.to_string()), ("b", (year + 1).to_string())];
        for rule in LEAP[usize::from(is_leap)].iter().chain(&YEARS) {
            (0..4).for_each(|_| rule.draw(pairs, FAMILY, &values, &format!("year {year}")));
        }
    }
    for _ in 0..3000 {
        let (a, n) = (pairs.rng.random_range(3..80_u32), pairs.rng.random_range(1..16_u32));
        let values = [("a", a), ("n", n), ("b", a + n)].map(|(name, it)| (name, it.to_string()));
        let rule = AGE.choose(&mut pairs.rng).unwrap_or(&AGE[0]);
        rule.draw(pairs, FAMILY, &values, &format!("age {a} {n}"));
    }
}
