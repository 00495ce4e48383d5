//! Which of two or three numbers is larger or smaller, and even and odd.

use rand::Rng as _;

use super::{pairs::Pairs, rules::Rule};

const FAMILY: &str = "comparisons";

/// `{a}` and `{b}`; the larger is `{l}`, the smaller `{m}`.
const LARGER: [Rule; 4] = [
    Rule {
        questions: &[
            "{a}和{b}哪个大",
            "{a}[和|跟|与]{b}[哪个更大|哪个数大|哪个比较大|谁大|谁更大]",
            "{a}大还是{b}大",
            "哪个[数|]更大，{a}还是{b}",
            "比较{a}和{b}哪个大",
        ],
        answer: "{l}更大。",
    },
    Rule {
        questions: &[
            "{a}和{b}哪个小",
            "{a}[和|跟|与]{b}[哪个更小|哪个数小|哪个比较小|谁小|谁更小]",
            "{a}小还是{b}小",
            "哪个[数|]更小，{a}还是{b}",
        ],
        answer: "{m}更小。",
    },
    Rule {
        questions: &[
            "which is [larger|bigger|greater], {a} or {b}",
            "which number is [larger|bigger|greater], {a} or {b}",
            "[is|what is] [larger|bigger], {a} or {b}",
            "{a} or {b}, which is [larger|bigger]",
            "which is more, {a} or {b}",
        ],
        answer: "{l} is larger.",
    },
    Rule {
        questions: &[
            "which is [smaller|less], {a} or {b}",
            "which number is smaller, {a} or {b}",
            "{a} or {b}, which is smaller",
            "what is smaller, {a} or {b}",
        ],
        answer: "{m} is smaller.",
    },
];
const EQUAL: [Rule; 2] = [
    Rule {
        questions: &["{a}和{a}哪个大", "{a}大还是{a}大", "{a}和{a}哪个小"], answer: "一样大。"
    },
    Rule {
        questions: &["which is [larger|bigger], {a} or {a}", "which is smaller, {a} or {a}"],
        answer: "They are equal.",
    },
];
/// Whether `{a}` is more than `{b}`: yes, then no.
const IS_MORE: [[Rule; 2]; 4] = [
    [
        Rule {
            questions: &["{a}比{b}大吗", "{a}大于{b}吗", "{a}是不是比{b}大"],
            answer: "是的，{a}比{b}大。",
        },
        Rule {
            questions: &["{a}比{b}大吗", "{a}大于{b}吗", "{a}是不是比{b}大"],
            answer: "不，{a}比{b}小。",
        },
    ],
    [
        Rule {
            questions: &["{a}比{b}小吗", "{a}小于{b}吗"], answer: "不，{a}比{b}大。"
        },
        Rule {
            questions: &["{a}比{b}小吗", "{a}小于{b}吗"], answer: "是的，{a}比{b}小。"
        },
    ],
    [
        Rule {
            questions: &["is {a} [greater|larger|bigger|more] than {b}"],
            answer: "Yes, {a} is more than {b}.",
        },
        Rule {
            questions: &["is {a} [greater|larger|bigger|more] than {b}"],
            answer: "No, {a} is less than {b}.",
        },
    ],
    [
        Rule {
            questions: &["is {a} [smaller|less|lower] than {b}"],
            answer: "No, {a} is more than {b}.",
        },
        Rule {
            questions: &["is {a} [smaller|less|lower] than {b}"],
            answer: "Yes, {a} is less than {b}.",
        },
    ],
];
const OF_THREE: [Rule; 4] = [
    Rule {
        questions: &[
            "{a}、{b}、{c}[中|里|当中]哪个最大",
            "{a}、{b}和{c}哪个最大",
            "{a}，{b}，{c}最大的是哪个",
        ],
        answer: "{l}最大。",
    },
    Rule {
        questions: &[
            "{a}、{b}、{c}[中|里|当中]哪个最小",
            "{a}、{b}和{c}哪个最小",
            "{a}，{b}，{c}最小的是哪个",
        ],
        answer: "{m}最小。",
    },
    Rule {
        questions: &[
            "which is the [largest|biggest], {a}, {b} or {c}",
            "which is the [largest|biggest] of {a}, {b} and {c}",
            "what is the maximum of {a}, {b} and {c}",
        ],
        answer: "{l} is the largest.",
    },
    Rule {
        questions: &[
            "which is the smallest, {a}, {b} or {c}",
            "which is the smallest of {a}, {b} and {c}",
            "what is the minimum of {a}, {b} and {c}",
        ],
        answer: "{m} is the smallest.",
    },
];
const SORT: [Rule; 2] = [
    Rule {
        questions: &[
            "把{a}、{b}、{c}从小到大排列",
            "{a}、{b}、{c}从小到大怎么排",
            "给{a}、{b}、{c}排序",
        ],
        answer: "{x}、{y}、{z}。",
    },
    Rule {
        questions: &[
            "sort {a}, {b}, {c}",
            "put {a}, {b}, {c} in order",
            "sort {a}, {b} and {c} from small to large",
        ],
        answer: "{x}, {y}, {z}.",
    },
];
const PARITY: [Rule; 2] = [
    Rule {
        questions: &[
            "{a}是[偶数|双数]吗",
            "{a}是奇数还是偶数",
            "{a}是[奇数|单数]吗",
            "{a}是单数还是双数",
        ],
        answer: "{a}是{p}。",
    },
    Rule {
        questions: &[
            "is {a} even",
            "is {a} odd",
            "is {a} even or odd",
            "is {a} an [odd|even] number",
            "is {a} odd or even",
        ],
        answer: "{a} is {e}.",
    },
];

pub(super) fn add(pairs: &mut Pairs) {
    for a in 0..=100_u32 {
        for b in 0..=100_u32 {
            two(pairs, a, b);
        }
        let (p, e) = if a.is_multiple_of(2) { ("偶数", "even") } else { ("奇数", "odd") };
        let parity = [("a", a.to_string()), ("p", p.to_owned()), ("e", e.to_owned())];
        for rule in &PARITY {
            (0..16).for_each(|_| rule.draw(pairs, FAMILY, &parity, &format!("even {a}")));
        }
        for rule in &EQUAL {
            (0..2).for_each(|_| rule.draw(pairs, FAMILY, &[("a", a.to_string())], ""));
        }
    }
    for _ in 0..12_000 {
        let numbers = [(); 3].map(|()| pairs.rng.random_range(0..100_u32));
        let mut sorted = numbers;
        sorted.sort_unstable();
        if sorted[0] == sorted[1] || sorted[1] == sorted[2] {
            continue;
        }
        let [[a, b, c], [least, middle, most]] = [numbers, sorted];
        let named = [
            ("a", a),
            ("b", b),
            ("c", c),
            ("l", most),
            ("m", least),
            ("x", least),
            ("y", middle),
            ("z", most),
        ];
        let values = named.map(|(name, it)| (name, it.to_string()));
        let rule = match pairs.rng.random_range(0..7) {
            place @ 0..4 => &OF_THREE[place],
            4 | 5 => &SORT[0],
            _ => &SORT[1],
        };
        rule.draw(pairs, FAMILY, &values, &format!("{numbers:?}"));
    }
}

fn two(pairs: &mut Pairs, a: u32, b: u32) {
    if a == b {
        return;
    }
    let named = [("a", a), ("b", b), ("l", a.max(b)), ("m", a.min(b))];
    let values = named.map(|(name, it)| (name, it.to_string()));
    let content = format!("{a} {b}");
    for _ in 0..3 {
        let place = pairs.rng.random_range(0..4);
        let rule = match pairs.rng.random_range(0..3) {
            0 => &IS_MORE[place][usize::from(a < b)],
            _ => &LARGER[place],
        };
        rule.draw(pairs, FAMILY, &values, &content);
    }
}
