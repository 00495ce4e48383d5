//! Days of the week, months, seasons.

use super::{Pairs, wording::Language};

const FAMILY: &str = "calendar";

const CHINESE_DAYS: [&str; 7] =
    ["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"];
const ENGLISH_DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// With its days.
const MONTHS: [(&str, &str, u32); 12] = [
    ("一月", "January", 31),
    ("二月", "February", 28),
    ("三月", "March", 31),
    ("四月", "April", 30),
    ("五月", "May", 31),
    ("六月", "June", 30),
    ("七月", "July", 31),
    ("八月", "August", 31),
    ("九月", "September", 30),
    ("十月", "October", 31),
    ("十一月", "November", 30),
    ("十二月", "December", 31),
];
const SEASONS: [(&str, &str); 4] =
    [("春天", "spring"), ("夏天", "summer"), ("秋天", "autumn"), ("冬天", "winter")];

pub(super) fn add(pairs: &mut Pairs) {
    let months = MONTHS.map(|(chinese, english, _)| (chinese, english));
    let days: Vec<_> = CHINESE_DAYS.into_iter().zip(ENGLISH_DAYS).collect();
    round(pairs, &days);
    round(pairs, &months);
    round(pairs, &SEASONS);
    for (chinese, english, days) in MONTHS {
        let told = format!("{chinese}有{days}天。");
        for question in [format!("{chinese}有几天"), format!("{chinese}有多少天")] {
            pairs.add_wordings(FAMILY, Language::Chinese, &question, &told, 8);
        }
        let told = format!("{english} has {days} days.");
        for question in [
            format!("how many days does {english} have"),
            format!("how many days are in {english}"),
        ] {
            pairs.add_wordings(FAMILY, Language::English, &question, &told, 8);
        }
    }
    lists(pairs, &days, &months);
}

/// What comes after and before each of the names, which go round and round.
fn round(pairs: &mut Pairs, names: &[(&str, &str)]) {
    for (place, (chinese, english)) in names.iter().enumerate() {
        let after = names[(place + 1) % names.len()];
        let before = names[(place + names.len() - 1) % names.len()];
        for (chinese_way, english_way, other) in
            [("后面", "after", after), ("前面", "before", before)]
        {
            let told = format!("{chinese}{chinese_way}是{}。", other.0);
            for question in [
                format!("{chinese}{chinese_way}是什么"),
                format!("{chinese}的{chinese_way}是什么"),
                format!("什么在{chinese}{chinese_way}"),
            ] {
                pairs.add_wordings(FAMILY, Language::Chinese, &question, &told, 5);
            }
            let told = format!("{} comes {english_way} {english}.", other.1);
            for question in [
                format!("what comes {english_way} {english}"),
                format!("which one comes {english_way} {english}"),
                format!("what is {english_way} {english}"),
            ] {
                pairs.add_wordings(FAMILY, Language::English, &question, &told, 5);
            }
        }
    }
}

fn lists(pairs: &mut Pairs, days: &[(&str, &str)], months: &[(&str, &str)]) {
    let joined = |names: &[(&str, &str)]| {
        let (chinese, english): (Vec<&str>, Vec<&str>) = names.iter().copied().unzip();
        (format!("{}。", chinese.join("、")), format!("{}.", english.join(", ")))
    };
    let (chinese_days, english_days) = joined(days);
    let (chinese_months, english_months) = joined(months);
    for (questions, answer) in [
        (["一周有哪几天", "一个星期有哪些天", "说出一星期的每一天"], &chinese_days),
        (
            ["name the days of the week", "what are the days of the week", "list the days"],
            &english_days,
        ),
        (["一年有哪些月份", "说出十二个月", "一年的月份有哪些"], &chinese_months),
        (
            ["name the months", "what are the months of the year", "list the months"],
            &english_months,
        ),
    ] {
        for question in questions {
            pairs.add_wordings(FAMILY, Language::of(question), question, answer, 12);
        }
    }
}
