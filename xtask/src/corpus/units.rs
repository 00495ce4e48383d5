//! Units: how many of the smaller are in some of the larger.

use super::{pairs::Pairs, rules::Rule, tables::rows};

const FAMILY: &str = "units";

/// `{n}` of the larger are `{m}` of the smaller.
const RULES: [Rule; 4] = [
    Rule {
        questions: &[
            "{n}{a}[是|等于|有]多少{b}",
            "{n}{a}[是|等于|有]几{b}",
            "{n}{a}换算成{b}是多少",
            "把{n}{a}换[算|]成{b}",
            "{n}{a}合多少{b}",
        ],
        answer: "{n}{a}等于{m}{b}。",
    },
    Rule {
        questions: &[
            "{m}{b}[是|等于]多少{a}",
            "{m}{b}[是|等于]几{a}",
            "{m}{b}换算成{a}是多少",
            "把{m}{b}换[算|]成{a}",
        ],
        answer: "{m}{b}等于{n}{a}。",
    },
    Rule {
        questions: &[
            "how many {d} are [in|there in] {n} {c}",
            "{n} {c} is how many {d}",
            "convert {n} {c} to {d}",
            "what is {n} {c} in {d}",
            "how many {d} is {n} {c}",
            "{n} {c} in {d}",
        ],
        answer: "{n} {c} = {m} {d}.",
    },
    Rule {
        questions: &[
            "how many {c} are {m} {d}",
            "{m} {d} is how many {c}",
            "convert {m} {d} to {c}",
            "what is {m} {d} in {c}",
            "{m} {d} in {c}",
        ],
        answer: "{m} {d} = {n} {c}.",
    },
];

pub(super) fn add(pairs: &mut Pairs) {
    for row in rows(include_str!("data/units.tsv")) {
        let [large, small, factor, one, many, ones, smalls] = row[..] else { continue };
        let factor: u32 = factor.parse().unwrap_or(1);
        let largest =
            if factor.is_power_of_two() || factor.to_string().ends_with('0') { 20 } else { 12 };
        for number in 1..=largest {
            let values = [
                ("a", large.to_owned()),
                ("b", small.to_owned()),
                ("c", if number == 1 { one } else { many }.to_owned()),
                ("d", if number * factor == 1 { ones } else { smalls }.to_owned()),
                ("n", number.to_string()),
                ("m", (number * factor).to_string()),
            ];
            let content =
                if number > 2 { format!("{number} {one} {smalls}") } else { String::new() };
            let in_chinese = if large.is_empty() { 2 } else { 0 };
            let in_english = if one.is_empty() { 2 } else { 4 };
            for rule in &RULES[in_chinese..in_english] {
                let draws = if number < 6 { 16 } else { 10 };
                (0..draws).for_each(|_| rule.draw(pairs, FAMILY, &values, &content));
            }
        }
    }
}
