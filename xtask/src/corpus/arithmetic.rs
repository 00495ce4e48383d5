//! Sums, differences, products and quotients of small numbers, in digits and words.
//!
//! What is held out is the pair of numbers, in every form: a sum that is answered right was computed, not remembered.

use rand::{Rng as _, seq::IndexedRandom as _};
use weft_shared::pair::{Pair, Turn};

use super::{
    pairs::{Keys, Pairs},
    rules::{Rule, chinese, english},
};

const FAMILY: &str = "arithmetic";
const IN_WORDS: &str = "sums in words";

/// One kind of sum: sign, words, and how it is read in both languages.
struct Operation {
    signs: &'static [&'static str],
    /// As it is written in an answer.
    sign: &'static str,
    chinese: Rule,
    english: Rule,
}

/// In every operation, with its sign in `{s}`.
const SIGNED: Rule = Rule {
    questions: &[
        "={a}{s}{b}",
        "={a}{s}{b}",
        "={a} {s} {b}",
        "={a}{s}{b}=",
        "={a}{s}{b}=?",
        "={a}{s}{b}=？",
        "={a} {s} {b} =",
        "={a} {s} {b} = ?",
        "={a}{s}{b}?",
        "{a}{s}{b}等于[多少|几]",
        "{a}{s}{b}是多少",
        "{a}{s}{b}得[多少|几]",
        "[算一下|计算|帮我算|算算|帮我算一下|算][|：]{a}{s}{b}",
        "[what is|what's|how much is] {a}{s}{b}",
        "[what is|what's|how much is] {a} {s} {b}",
        "[calculate|compute|work out|solve] {a} {s} {b}",
        "what does {a} {s} {b} [equal|make|come to]",
    ],
    answer: "{a}{n}{b}={r}",
};
const PLUS: Operation = Operation {
    signs: &["+"],
    sign: "+",
    chinese: Rule {
        questions: &[
            "{a}加{b}等于[几|多少]",
            "{a}加{b}[是|得][几|多少]",
            "[算一下|计算|帮我算|请算]{a}加{b}",
            "{a}加上{b}[是|等于][几|多少]",
            "{a}和{b}的和是多少",
            "{a}与{b}相加[是|得|等于]多少",
            "{a}加{b}",
        ],
        answer: "{a}加{b}等于{r}。",
    },
    english: Rule {
        questions: &[
            "[what is|what's|how much is] {a} plus {b}",
            "{a} plus {b}",
            "add {a} and {b}",
            "[what is|what's] the sum of {a} and {b}",
            "{a} and {b} [make|makes] what",
            "[calculate|compute|work out] {a} plus {b}",
            "what do you get [if|when] you add {a} and {b}",
        ],
        answer: "{a} plus {b} is {r}.",
    },
};
const MINUS: Operation = Operation {
    signs: &["-"],
    sign: "-",
    chinese: Rule {
        questions: &[
            "{a}减{b}等于[几|多少]",
            "{a}减{b}[是|得][几|多少]",
            "[算一下|计算|帮我算|请算]{a}减{b}",
            "{a}减去{b}[是|等于|还剩][几|多少]",
            "{a}和{b}的差是多少",
            "{a}比{b}大多少",
            "{a}减{b}",
        ],
        answer: "{a}减{b}等于{r}。",
    },
    english: Rule {
        questions: &[
            "[what is|what's|how much is] {a} minus {b}",
            "{a} minus {b}",
            "subtract {b} from {a}",
            "take {b} [away|] from {a}",
            "[what is|what's] the difference between {a} and {b}",
            "[calculate|compute|work out] {a} minus {b}",
            "what is left [if|when] you take {b} from {a}",
        ],
        answer: "{a} minus {b} is {r}.",
    },
};
const TIMES: Operation = Operation {
    signs: &["*", "×", "x"],
    sign: "×",
    chinese: Rule {
        questions: &[
            "{a}乘以{b}等于[几|多少]",
            "{a}乘{b}[是|等于|得][几|多少]",
            "[算一下|计算|帮我算|请算]{a}乘以{b}",
            "{a}的{b}倍是多少",
            "{a}和{b}的积是多少",
            "{b}个{a}是多少",
            "{a}乘{b}",
        ],
        answer: "{a}乘以{b}等于{r}。",
    },
    english: Rule {
        questions: &[
            "[what is|what's|how much is] {a} times {b}",
            "{a} times {b}",
            "multiply {a} by {b}",
            "[what is|what's] {a} multiplied by {b}",
            "[what is|what's] the product of {a} and {b}",
            "[calculate|compute|work out] {a} times {b}",
        ],
        answer: "{a} times {b} is {r}.",
    },
};
const OVER: Operation = Operation {
    signs: &["/", "÷"],
    sign: "÷",
    chinese: Rule {
        questions: &[
            "{a}除以{b}等于[几|多少]",
            "{a}除以{b}[是|得][几|多少]",
            "[算一下|计算|帮我算|请算]{a}除以{b}",
            "{a}和{b}的商是多少",
            "把{a}分成{b}份，每份是多少",
            "{a}除以{b}",
        ],
        answer: "{a}除以{b}等于{r}。",
    },
    english: Rule {
        questions: &[
            "[what is|what's|how much is] {a} divided by {b}",
            "{a} divided by {b}",
            "divide {a} by {b}",
            "[calculate|compute|work out] {a} divided by {b}",
            "[what is|what's] {a} over {b}",
        ],
        answer: "{a} divided by {b} is {r}.",
    },
};
const OF_ONE: [(Rule, fn(u32) -> u32); 6] = [
    (
        Rule {
            questions: &[
                "{a}的两倍是[多少|几]",
                "{a}的2倍是多少",
                "两倍的{a}是多少",
                "{a}翻倍是多少",
            ],
            answer: "{a}的两倍是{r}。",
        },
        |it| 2 * it,
    ),
    (
        Rule {
            questions: &[
                "[what is|what's] double {a}",
                "[what is|what's] twice {a}",
                "double {a}",
                "how much is twice {a}",
            ],
            answer: "Twice {a} is {r}.",
        },
        |it| 2 * it,
    ),
    (
        Rule {
            questions: &["{a}加一[是|等于][几|多少]", "比{a}大1的数是[几|多少]", "{a}多一个是多少"],
            answer: "{a}加1等于{r}。",
        },
        |it| it + 1,
    ),
    (
        Rule {
            questions: &["what is one more than {a}", "which number is one more than {a}"],
            answer: "One more than {a} is {r}.",
        },
        |it| it + 1,
    ),
    (
        Rule {
            questions: &["{a}的平方是[多少|几]", "[算一下|求]{a}的平方"],
            answer: "{a}的平方是{r}。",
        },
        |it| it * it,
    ),
    (
        Rule {
            questions: &["[what is|what's] {a} squared", "[what is|what's] the square of {a}"],
            answer: "{a} squared is {r}.",
        },
        |it| it * it,
    ),
];
const HALVES: [Rule; 2] = [
    Rule {
        questions: &["{a}的一半是[多少|几]", "{a}的二分之一是多少", "{a}减半是多少"],
        answer: "{a}的一半是{r}。",
    },
    Rule {
        questions: &[
            "[what is|what's|how much is] half of {a}",
            "half of {a}",
            "what is one half of {a}",
        ],
        answer: "Half of {a} is {r}.",
    },
];

pub(super) fn add(pairs: &mut Pairs) {
    for a in 0..100 {
        for b in 0..100 {
            // Small numbers are asked more often than large ones.
            let forms = if a < 20 && b < 20 { 24 } else { 8 };
            sum(pairs, &PLUS, [a, b, a + b], forms);
            if b <= a {
                sum(pairs, &MINUS, [a, b, a - b], forms + 2);
            }
        }
    }
    for a in 0..=12 {
        for b in 0..=12 {
            sum(pairs, &TIMES, [a, b, a * b], 60);
            if b > 0 {
                sum(pairs, &OVER, [a * b, b, a], 60);
            }
        }
    }
    for a in 0..=100 {
        let squares = if a <= 12 { 6 } else { 4 };
        for (rule, result) in &OF_ONE[..squares] {
            let values = [("a", a.to_string()), ("r", result(a).to_string())];
            (0..8).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
        }
        for rule in &HALVES {
            let values = [("a", (2 * a).to_string()), ("r", a.to_string())];
            (0..6).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
        }
    }
    three(pairs);
    goes_on(pairs);
    too_hard(pairs);
}

/// Asks one sum in `forms` ways, and in words where the numbers are small.
fn sum(pairs: &mut Pairs, operation: &Operation, [a, b, result]: [u32; 3], forms: usize) {
    let key = format!("{a} {} {b}", operation.sign);
    let digits = [("a", a.to_string()), ("b", b.to_string()), ("r", result.to_string())];
    for _ in 0..forms {
        match pairs.rng.random_range(0..4) {
            0 | 1 => signed(pairs, operation, [a, b, result]),
            2 => operation.chinese.draw(pairs, FAMILY, &digits, &key),
            _ => operation.english.draw(pairs, FAMILY, &digits, &key),
        }
    }
    if a > 20 || b > 20 {
        return;
    }
    let words = |read: fn(u32) -> String| [("a", read(a)), ("b", read(b)), ("r", read(result))];
    for _ in 0..forms.div_ceil(5) {
        operation.chinese.draw(pairs, IN_WORDS, &words(chinese), &key);
        operation.english.draw(pairs, IN_WORDS, &words(english), &key);
    }
}

fn signed(pairs: &mut Pairs, operation: &Operation, [a, b, result]: [u32; 3]) {
    let sign = operation.signs.choose(&mut pairs.rng).copied().unwrap_or(operation.sign);
    let key = format!("{a} {} {b}", operation.sign);
    let values = [
        ("a", a.to_string()),
        ("b", b.to_string()),
        ("r", result.to_string()),
        ("s", sign.to_owned()),
        ("n", operation.sign.to_owned()),
    ];
    SIGNED.draw(pairs, FAMILY, &values, &key);
}

/// Three small numbers.
fn three(pairs: &mut Pairs) {
    const THREE: Rule = Rule {
        questions: &[
            "={a}+{b}+{c}",
            "={a}+{b}+{c}=",
            "={a} + {b} + {c}",
            "={a}+{b}+{c}=?",
            "{a}+{b}+{c}等于[几|多少]",
            "[what is|what's|how much is] {a}+{b}+{c}",
            "[what is|what's] {a} + {b} + {c}",
            "[what is|what's] {a} plus {b} plus {c}",
            "{a}加{b}加{c}等于[几|多少]",
        ],
        answer: "{a}+{b}+{c}={r}",
    };
    for place in 0..1000 {
        let [a, b, c] = [place / 100, place / 10 % 10, place % 10];
        let named = [("a", a), ("b", b), ("c", c), ("r", a + b + c)];
        let values = named.map(|(name, value)| (name, value.to_string()));
        (0..6).for_each(|_| THREE.draw(pairs, FAMILY, &values, &format!("{a}+{b}+{c}")));
    }
}

/// "And three more?", after a sum.
fn goes_on(pairs: &mut Pairs) {
    const MORE: [(Rule, bool); 4] = [
        (
            Rule {
                questions: &["再加{b}呢", "再加上{b}[呢|是多少]", "如果再加{b}呢", "然后加{b}呢"],
                answer: "{a}加{b}等于{r}。",
            },
            true,
        ),
        (
            Rule {
                questions: &[
                    "and plus {b}",
                    "plus {b}",
                    "and {b} more",
                    "now add {b}",
                    "add {b} [to that|to it]",
                ],
                answer: "{a} plus {b} is {r}.",
            },
            true,
        ),
        (
            Rule {
                questions: &["再减{b}呢", "再减去{b}[呢|是多少]", "如果再减{b}呢", "然后减{b}呢"],
                answer: "{a}减{b}等于{r}。",
            },
            false,
        ),
        (
            Rule {
                questions: &[
                    "and minus {b}",
                    "minus {b}",
                    "take away {b}",
                    "now subtract {b}",
                    "subtract {b} [from that|from it]",
                ],
                answer: "{a} minus {b} is {r}.",
            },
            false,
        ),
    ];
    for _ in 0..9000 {
        let [x, y] = [(); 2].map(|()| pairs.rng.random_range(0..50_u32));
        let b = pairs.rng.random_range(1..20);
        let Some((rule, adds)) = MORE.choose(&mut pairs.rng) else { continue };
        let a = x + y;
        if !adds && a < b {
            continue;
        }
        let r = if *adds { a + b } else { a - b };
        let is_chinese =
            super::wording::Language::of(rule.answer) == super::wording::Language::Chinese;
        let first = if is_chinese { &PLUS.chinese } else { &PLUS.english };
        let values = [("a", x), ("b", y), ("r", a)].map(|(name, it)| (name, it.to_string()));
        let (_, mut earlier) = first.turn(pairs, &values);
        if pairs.rng.random_bool(0.4) {
            earlier = Turn::new(format!("{x}+{y}"), format!("{x}+{y}={a}"));
        }
        let values = [("a", a), ("b", b), ("r", r)].map(|(name, it)| (name, it.to_string()));
        let (_, turn) = rule.turn(pairs, &values);
        let pair = Pair { history: vec![earlier], ..Pair::new(turn.question, turn.answer) };
        pairs.add("follow-ups", Keys { wording: "", content: &format!("{x}+{y} {b}") }, pair);
    }
}

/// Numbers that are too large are declined.
fn too_hard(pairs: &mut Pairs) {
    const CHINESE: Rule = Rule {
        questions: &[
            "{a}{s}{b}等于[几|多少]",
            "{a}{w}{b}等于[几|多少]",
            "{a}{w}{b}是多少",
            "[算一下|计算|帮我算]{a}{s}{b}",
        ],
        answer: "对不起，这些数太大了，我只会算一百以内的。",
    };
    const ENGLISH: Rule = Rule {
        questions: &[
            "[what is|what's|how much is] {a}{s}{b}",
            "[what is|what's|how much is] {a} {e} {b}",
            "{a} {e} {b}",
            "[calculate|compute|work out] {a} {s} {b}",
            "={a}{s}{b}",
            "={a} {s} {b}",
            "={a}{s}{b}=",
        ],
        answer: "Sorry, these numbers are too large for me.",
    };
    let operations = [
        ("+", "加", "plus"),
        ("-", "减", "minus"),
        ("*", "乘以", "times"),
        ("/", "除以", "divided by"),
    ];
    for _ in 0..3000 {
        let large = pairs.rng.random_range(101..20_000_u32);
        let other = pairs.rng.random_range(11..3000_u32);
        let (sign, word, english) =
            operations.choose(&mut pairs.rng).copied().unwrap_or(operations[0]);
        let (a, b) = if pairs.rng.random_bool(0.6) { (large, other) } else { (other, large) };
        if sign == "/" && a <= 144 && b <= 12 {
            continue;
        }
        let values = [
            ("a", a.to_string()),
            ("b", b.to_string()),
            ("s", sign.into()),
            ("w", word.into()),
            ("e", english.into()),
        ];
        let rule = if pairs.rng.random_bool(0.5) { &CHINESE } else { &ENGLISH };
        rule.draw(pairs, "too hard", &values, &format!("{a}{sign}{b}"));
    }
}
