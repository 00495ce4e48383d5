//! Classical poems and nursery rhymes: who wrote them, how they begin, and which line follows.

use super::{pairs::Pairs, rules::Rule};

const FAMILY: &str = "poems";

const NEXT: Rule = Rule {
    questions: &[
        "{a}的下一句是什么",
        "{a}",
        "{a}，下一句[是什么|呢|]",
        "“{a}”的下一句",
        "{a}后面一句是什么",
        "接下一句：{a}",
        "{a}，后面是什么",
    ],
    answer: "{b}",
};
const PREVIOUS: Rule = Rule {
    questions: &[
        "{b}的上一句是什么",
        "“{b}”的上一句",
        "{b}前面一句是什么",
        "{b}，上一句[是什么|呢]",
    ],
    answer: "{a}",
};
const OF_POEM: [Rule; 6] = [
    Rule {
        questions: &[
            "《{t}》是谁写的",
            "{t}是谁写的",
            "{t}的作者是谁",
            "《{t}》的作者是谁",
            "谁写了[《{t}》|{t}]",
            "[《{t}》|{t}]是哪位诗人[写的|的诗]",
        ],
        answer: "《{t}》是{d}诗人{p}写的。",
    },
    Rule {
        questions: &[
            "《{t}》的第一句是什么",
            "{t}第一句是什么",
            "{t}的开头是什么",
            "《{t}》怎么开头",
        ],
        answer: "{f}",
    },
    Rule {
        questions: &["《{t}》是哪个朝代的[诗|]", "{t}是什么朝代的", "{t}是哪朝的诗"],
        answer: "《{t}》是{d}的诗。",
    },
    Rule {
        questions: &[
            "[背|背诵|念|默写][一下|][《{t}》|{t}]",
            "[请|]背[一遍|]《{t}》",
            "{t}[全文|怎么背]",
            "《{t}》",
        ],
        answer: "{w}",
    },
    Rule {
        questions: &["“{f}”是哪首诗[里的|的]", "{f}出自哪首诗", "{f}是哪首诗"],
        answer: "出自{p}的《{t}》。",
    },
    Rule {
        questions: &["“{f}”是谁写的", "{f}是谁[写的|的诗]", "谁写的{f}"],
        answer: "是{p}写的。",
    },
];
const LINE: Rule = Rule {
    questions: &[
        "what comes after \"{a}\"",
        "{a}",
        "what is the next line after \"{a}\"",
        "continue: {a}",
        "complete: {a}",
        "{a}, what comes next",
    ],
    answer: "{b}",
};
const RHYME: [Rule; 2] = [
    Rule {
        questions: &[
            "[say|recite|tell me] {t}",
            "do you know {t}",
            "how does {t} go",
            "[sing|read] {t}",
            "what are the words of {t}",
        ],
        answer: "{w}",
    },
    Rule {
        questions: &["how does {t} begin", "what is the first line of {t}", "how does {t} start"],
        answer: "{f}",
    },
];

pub(super) fn add(pairs: &mut Pairs) {
    for poem in include_str!("data/poems.txt").split("\n\n") {
        let mut lines = poem.lines().filter(|it| !it.starts_with('#'));
        let Some(head) = lines.next() else { continue };
        let [title, poet, dynasty] = head.split('\t').collect::<Vec<_>>()[..] else { continue };
        let couplets: Vec<&str> = lines.collect();
        let verses: Vec<&str> = couplets
            .iter()
            .flat_map(|it| it.split(['，', '。', '？', '！', '；']))
            .filter(|it| !it.is_empty())
            .collect();
        around(pairs, &verses, 7, &[&NEXT, &PREVIOUS]);
        let values = [
            ("t", title),
            ("p", poet),
            ("d", dynasty),
            ("f", verses.first().copied().unwrap_or("")),
            ("w", &couplets.concat()),
        ]
        .map(|(name, it)| (name, it.to_owned()));
        for (place, rule) in OF_POEM.iter().enumerate() {
            // A long poem is not said as a whole.
            if place != 3 || couplets.len() <= 4 {
                (0..10).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
            }
        }
    }
    for rhyme in include_str!("data/rhymes.txt").split("\n\n") {
        let mut lines = rhyme.lines().filter(|it| !it.starts_with('#'));
        let Some(title) = lines.next() else { continue };
        let lines: Vec<&str> = lines.collect();
        around(pairs, &lines, 10, &[&LINE]);
        let values =
            [("t", title), ("f", lines.first().copied().unwrap_or("")), ("w", &lines.join(" "))]
                .map(|(name, it)| (name, it.to_owned()));
        for rule in &RHYME {
            (0..24).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
        }
    }
}

fn around(pairs: &mut Pairs, lines: &[&str], draws: usize, rules: &[&Rule]) {
    for two in lines.windows(2) {
        let bare = |it: &str| it.trim_end_matches([',', '.', ';', ':', '!']).to_owned();
        let values = [("a", bare(two[0])), ("b", two[1].to_owned())];
        for rule in rules {
            (0..draws).for_each(|_| rule.draw(pairs, FAMILY, &values, ""));
        }
    }
}
