//! How sums are asked and answered.

use super::super::rules::Rule;

/// One kind of sum: sign, words, and how it is read in both languages.
pub(super) struct Operation {
    pub signs: &'static [&'static str],
    /// As it is written in an answer.
    pub sign: &'static str,
    pub chinese: Rule,
    pub english: Rule,
}

/// In every operation, with its sign in `{s}`.
pub(super) const SIGNED: Rule = Rule {
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
pub(super) const PLUS: Operation = Operation {
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
pub(super) const MINUS: Operation = Operation {
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
pub(super) const TIMES: Operation = Operation {
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
pub(super) const OVER: Operation = Operation {
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
/// What is asked of one number, and what comes of it.
type OfOne = (Rule, fn(u32) -> u32);

pub(super) const OF_ONE: [OfOne; 6] = [
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
pub(super) const HALVES: [Rule; 2] = [
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

pub(super) const THREE: Rule = Rule {
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
/// What is added to a sum that was told, or, where it is false, taken away.
pub(super) const MORE: [(Rule, bool); 4] = [
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
pub(super) const TOO_HARD_CHINESE: Rule = Rule {
    questions: &[
        "{a}{s}{b}等于[几|多少]",
        "{a}{w}{b}等于[几|多少]",
        "{a}{w}{b}是多少",
        "[算一下|计算|帮我算]{a}{s}{b}",
    ],
    answer: "对不起，这些数太大了，我只会算一百以内的。",
};
pub(super) const TOO_HARD_ENGLISH: Rule = Rule {
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
