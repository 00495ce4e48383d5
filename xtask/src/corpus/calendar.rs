//! Days of the week, months, seasons, dates and leap years: what follows from one that is given.

mod wordings;

use rand::{Rng as _, seq::IndexedRandom as _};

use self::wordings::{AGE, AROUND, DATE, DAYS, IN_DAYS, LEAP, LISTS, MONTH, YEARS};
use super::pairs::Pairs;

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
