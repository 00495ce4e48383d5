//! What a person knows and a model cannot: names, places, prices, times. Told, it is said again in other words; not
//! told, it is not known.

use std::collections::HashMap;

use rand::{Rng, seq::IndexedRandom as _};
use weft_shared::pair::{Pair, Turn};

use super::{
    CHARACTERS, grammar,
    pairs::{Keys, Pairs},
    wording::{self, Language, capitalized},
};

const TOLD: &str = "told";
const UNKNOWN: &str = "unknown";

/// One kind of fact.
struct Fact {
    statements: Vec<&'static str>,
    questions: Vec<&'static str>,
    answer: &'static str,
    reply: Option<&'static str>,
}

/// The facts of one language, with the words that fill their places.
struct Facts {
    language: Language,
    kinds: Vec<Fact>,
    words: HashMap<&'static str, Vec<&'static str>>,
    /// What is said of what is not known, and of what the person did not tell of themselves.
    unknown: [&'static str; 2],
    reply: &'static str,
}

/// A fact about something of its own.
struct Chosen<'a> {
    fact: &'a Fact,
    values: Vec<(&'static str, String)>,
}

pub(super) fn add(pairs: &mut Pairs) {
    let chinese = Facts::new(
        Language::Chinese,
        include_str!("data/facts_chinese.txt"),
        include_str!("data/places_chinese.txt"),
        ["对不起，这个我不知道。", "对不起，你没有告诉过我。"],
        "好的，我记住了。",
    );
    let english = Facts::new(
        Language::English,
        include_str!("data/facts_english.txt"),
        include_str!("data/places_english.txt"),
        ["Sorry, I do not know that.", "Sorry, you have not told me that."],
        "All right, I will remember that.",
    );
    for facts in [&chinese, &english] {
        for fact in &facts.kinds {
            (0..200 + 80 * fact.questions.len()).for_each(|_| facts.ask_unknown(pairs, fact));
            if !fact.statements.is_empty() {
                (0..800).for_each(|_| facts.tell(pairs, fact));
            }
        }
    }
}

impl Facts {
    fn new(
        language: Language,
        facts: &'static str,
        words: &'static str,
        unknown: [&'static str; 2],
        reply: &'static str,
    ) -> Self {
        let words = words
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(place, words)| (place, words.split('|').collect()))
            .collect();
        let kinds = facts.split("\n\n").filter_map(Fact::read).collect();
        Self { language, kinds, words, unknown, reply }
    }

    /// Asked without having been told.
    fn ask_unknown(&self, pairs: &mut Pairs, fact: &Fact) {
        let chosen = self.choose(fact, &mut pairs.rng);
        let (wording, question) = self.question(&chosen, &mut pairs.rng);
        let answer = self.unknown[usize::from(fact.is_of_the_person())];
        let content = chosen.about(&wording);
        let key = if fact.questions.first() == Some(&wording.as_str()) { "" } else { &wording };
        pairs.add(UNKNOWN, Keys { wording: key, content: &content }, Pair::new(question, answer));
    }

    /// Told, alone or with other facts, and asked at once or later.
    fn tell(&self, pairs: &mut Pairs, fact: &Fact) {
        let chosen = self.choose(fact, &mut pairs.rng);
        let mut told = vec![self.choose(fact, &mut pairs.rng)];
        told[0].values.clone_from(&chosen.values);
        let others = *[0, 0, 0, 1, 1, 2].choose(&mut pairs.rng).unwrap_or(&0);
        for _ in 0..others {
            let other = self.kinds.choose(&mut pairs.rng);
            let other = other.filter(|it| !it.statements.is_empty()).unwrap_or(fact);
            // Two facts of one kind are told apart by what they are about.
            if !std::ptr::eq(other, fact) || pairs.rng.random_bool(0.5) {
                let other = self.choose(other, &mut pairs.rng);
                if other.subject() != chosen.subject() {
                    told.insert(pairs.rng.random_range(0..=told.len()), other);
                }
            }
        }
        let statements: Vec<String> =
            told.iter().map(|it| self.statement(it, &mut pairs.rng)).collect();
        let (wording, question) = self.question(&chosen, &mut pairs.rng);
        let answer = super::tables::finished(
            chosen.fact.answer,
            grammar::fill(chosen.fact.answer, &chosen.values),
        );
        let key = if fact.questions.first() == Some(&wording.as_str()) { "" } else { &wording };
        let content = chosen.values.iter().map(|it| it.1.as_str()).collect::<Vec<_>>().join(" ");
        let keys = Keys { wording: key, content: &content };
        match pairs.rng.random_range(0..10) {
            // At once.
            0..3 => {
                let said = format!("{}{}{question}", statements.join(self.gap()), self.gap());
                pairs.add(TOLD, keys, Pair::new(said, answer));
            }
            3 => {
                let reply = self.reply(&told);
                pairs.add(TOLD, Keys::default(), Pair::new(statements.join(self.gap()), reply));
            }
            // Something else is asked than was told.
            4 => {
                let Some(other) = self.kinds.choose(&mut pairs.rng) else { return };
                if told.iter().any(|it| std::ptr::eq(it.fact, other)) {
                    return;
                }
                let other = self.choose(other, &mut pairs.rng);
                let question = self.question(&other, &mut pairs.rng).1;
                let answer = self.unknown[usize::from(other.fact.is_of_the_person())];
                let history = self.history(&statements, &told, pairs);
                pairs.add(
                    TOLD,
                    Keys { wording: "", content: &content },
                    Pair { history, ..Pair::new(question, answer) },
                );
            }
            _ => {
                let history = self.history(&statements, &told, pairs);
                pairs.add(TOLD, keys, Pair { history, ..Pair::new(question, answer) });
            }
        }
    }

    /// The statements as earlier turns, all in one or each in its own, and perhaps something else between.
    fn history(&self, statements: &[String], told: &[Chosen], pairs: &mut Pairs) -> Vec<Turn> {
        let mut history: Vec<Turn> = if pairs.rng.random_bool(0.5) {
            let reply = self.reply(told);
            vec![Turn::new(statements.join(self.gap()), reply)]
        } else {
            statements
                .iter()
                .zip(told)
                .map(|(it, told)| Turn::new(it, self.reply(std::slice::from_ref(told))))
                .collect()
        };
        if pairs.rng.random_bool(0.25) {
            let between = pairs.train.choose(&mut pairs.rng).filter(|it| it.tags[0] != TOLD);
            if let Some(Pair { question, answer, history: none, .. }) = between
                && none.is_empty()
            {
                history.push(Turn::new(question, answer));
            }
        }
        history
    }

    fn gap(&self) -> &'static str {
        match self.language {
            Language::Chinese => "",
            Language::English => " ",
        }
    }

    fn reply(&self, told: &[Chosen]) -> String {
        match told {
            [Chosen { fact: Fact { reply: Some(reply), .. }, values }] => {
                grammar::fill(reply, values)
            }
            _ => self.reply.to_owned(),
        }
    }

    fn statement(&self, chosen: &Chosen, rng: &mut impl Rng) -> String {
        let template = chosen.fact.statements.choose(rng).copied().unwrap_or("");
        let said = grammar::fill(&grammar::choose(template, rng), &chosen.values);
        match self.language {
            Language::Chinese => said + "。",
            Language::English => capitalized(&said) + ".",
        }
    }

    /// The wording before it was filled, and the question.
    fn question(&self, chosen: &Chosen, rng: &mut impl Rng) -> (String, String) {
        let template = chosen.fact.questions.choose(rng).copied().unwrap_or("");
        let wording = grammar::choose(template, rng);
        let said = grammar::fill(&wording, &chosen.values);
        let question = wording::ask(self.language, &said, rng);
        (wording, question)
    }

    fn choose<'a>(&self, fact: &'a Fact, rng: &mut impl Rng) -> Chosen<'a> {
        let mut values: Vec<(&str, String)> = Vec::new();
        for template in fact.statements.iter().chain(&fact.questions) {
            for place in grammar::places(template) {
                if !values.iter().any(|it| it.0 == place) {
                    let value = self.value(place, rng);
                    values.push((place, value));
                }
            }
        }
        // A word of a list may have places of its own.
        for (_, filled) in &mut values {
            for place in grammar::places(&filled.clone()) {
                let value = self.value(place, rng);
                *filled = filled.replace(&format!("{{{place}}}"), &value);
            }
        }
        Chosen { fact, values }
    }

    fn value(&self, place: &str, rng: &mut impl Rng) -> String {
        let is_chinese = self.language == Language::Chinese;
        let kind = place.trim_end_matches(|it: char| it.is_ascii_digit());
        match kind {
            "name" if is_chinese => chinese_name(rng),
            "name" => english_name(rng),
            "called" if is_chinese => chinese_called(rng),
            "called" => english_called(rng),
            "code" => code(rng),
            "n" => rng.random_range(2..100).to_string(),
            "price" => rng.random_range(1..400).to_string(),
            "phone" => rng.random_range(1000..100_000).to_string(),
            "hour" | "month" => rng.random_range(1..13).to_string(),
            "day" => rng.random_range(1..29).to_string(),
            _ => self
                .words
                .get(kind)
                .and_then(|it| it.choose(rng))
                .map_or_else(|| place.to_owned(), |it| (*it).to_owned()),
        }
    }
}

impl Fact {
    /// `+` a statement, `?` a question, `>` the answer, `=` what is replied to the statement. Without a statement it is
    /// never told.
    fn read(paragraph: &'static str) -> Option<Self> {
        let lines = |sign: &str| -> Vec<&'static str> {
            paragraph.lines().filter_map(|it| it.strip_prefix(sign)).map(str::trim).collect()
        };
        Some(Self {
            statements: lines("+ "),
            questions: lines("? "),
            answer: lines("> ").first().copied()?,
            reply: lines("= ").first().copied(),
        })
    }

    /// Whether it is about the person who asks.
    fn is_of_the_person(&self) -> bool {
        self.answer.starts_with("You") || self.answer.starts_with('你')
    }
}

impl Chosen<'_> {
    /// What the question names.
    fn about(&self, wording: &str) -> String {
        let named = grammar::places(wording);
        let values = self.values.iter().filter(|it| named.contains(&it.0));
        let values: Vec<&str> = values.map(|it| it.1.as_str()).collect();
        // Where nothing is named, only wordings can be unseen.
        if values.is_empty() {
            String::new()
        } else {
            format!("{} {}", self.fact.answer, values.join(" "))
        }
    }

    fn subject(&self) -> String {
        self.fact.questions.first().map(|it| self.about(it) + it).unwrap_or_default()
    }
}

const SURNAMES: &str = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武戴莫孔向汤";
const GIVEN: &str = "明红华丽强军芳伟静敏杰娟涛超英龙海雪梅兰天雨文志建国婷晨月平刚桂玉萍鹏辉鑫波斌宇浩凯健俊帆帅旭宁林洋阳欣悦佳颖琳洁莹雅慧巧美娜蕾薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悠昭冰爽琬茗羽希欣飘育滢柔竹霭凝晓欢霄枫芸菲寒伊亚宜可姬舒影荔枝思丽";

/// A person's name, now and then with a title instead.
pub(super) fn chinese_name(rng: &mut impl Rng) -> String {
    let surnames: Vec<char> = SURNAMES.chars().collect();
    let given: Vec<char> = GIVEN.chars().collect();
    let pick = |from: &[char], rng: &mut _| from.choose(rng).copied().unwrap_or('明');
    let surname = pick(&surnames, rng);
    match rng.random_range(0..10) {
        0 | 1 => format!("小{}", pick(&given, rng)),
        2 => format!("老{surname}"),
        3 => format!("小{surname}"),
        4 => {
            let titles = ["老师", "经理", "医生", "师傅", "阿姨", "先生", "女士", "教授", "主任"];
            format!("{surname}{}", titles.choose(rng).copied().unwrap_or("老师"))
        }
        5 | 6 => format!("{surname}{}", pick(&given, rng)),
        _ => format!("{surname}{}{}", pick(&given, rng), pick(&given, rng)),
    }
}

/// What a pet, a boat or a product may be called.
fn chinese_called(rng: &mut impl Rng) -> String {
    let characters: Vec<char> = CHARACTERS.chars().filter(|it| !it.is_whitespace()).collect();
    (0..rng.random_range(2..=3)).filter_map(|_| characters.choose(rng)).collect()
}

const ENGLISH_NAMES: &str = include_str!("data/english_names.txt");
const SYLLABLES: [&str; 40] = [
    "ba", "ko", "mi", "ra", "lu", "te", "so", "na", "zi", "fo", "ple", "tri", "ven", "dor", "gal",
    "qui", "xen", "yo", "hu", "wim", "sha", "cru", "jo", "ek", "bel", "mar", "lin", "tan", "rix",
    "os", "ar", "den", "fil", "gren", "hol", "il", "kin", "mon", "per", "sil",
];

/// A person's name: a first name, often a surname, now and then one that nobody has.
pub(super) fn english_name(rng: &mut impl Rng) -> String {
    let names: Vec<&str> = ENGLISH_NAMES.split_whitespace().collect();
    let first = names.choose(rng).copied().unwrap_or("Tom");
    match rng.random_range(0..10) {
        0..6 => first.to_owned(),
        6 => format!("{first} {}", capitalized(&made_up(rng))),
        7 => format!(
            "{} {}",
            ["Mr", "Ms", "Mrs", "Dr"].choose(rng).copied().unwrap_or("Mr"),
            capitalized(&made_up(rng))
        ),
        _ => capitalized(&made_up(rng)),
    }
}

fn english_called(rng: &mut impl Rng) -> String {
    let words: Vec<&str> = super::ENGLISH.split_whitespace().filter(|it| it.len() > 3).collect();
    let mut word = || capitalized(words.choose(rng).copied().unwrap_or("star"));
    match word().len() % 3 {
        0 => format!("{} {}", word(), word()),
        1 => word(),
        _ => capitalized(&made_up(rng)),
    }
}

/// A word that no language has.
fn made_up(rng: &mut impl Rng) -> String {
    (0..rng.random_range(2..4)).filter_map(|_| SYLLABLES.choose(rng).copied()).collect()
}

/// A password or number: digits, or a word with digits.
pub(super) fn code(rng: &mut impl Rng) -> String {
    let words: Vec<&str> = super::ENGLISH.split_whitespace().collect();
    let number = rng.random_range(10..10_000);
    match rng.random_range(0..4) {
        0 => format!("{}{number}", words.choose(rng).copied().unwrap_or("tulip")),
        1 => format!("{}-{number}", words.choose(rng).copied().unwrap_or("tulip")),
        _ => rng.random_range(1000..1_000_000).to_string(),
    }
}
