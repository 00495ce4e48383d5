//! How days, months and dates are asked about and answered.

use super::super::rules::Rule;

/// What comes after `{a}` is `{b}`.
pub(super) const AROUND: [Rule; 4] = [
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
pub(super) const DAYS: [Rule; 10] = [
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
pub(super) const IN_DAYS: [Rule; 2] = [
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
pub(super) const MONTH: [Rule; 6] = [
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
pub(super) const DATE: [Rule; 4] = [
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
pub(super) const LEAP: [[Rule; 2]; 2] = [
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
pub(super) const YEARS: [Rule; 4] = [
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
pub(super) const AGE: [Rule; 2] = [
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
pub(super) const LISTS: [(Rule, usize); 6] = [
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
