//! A question in many wordings whose answer is computed: what the families that follow rules are written in.

use rand::seq::IndexedRandom as _;
use weft_shared::pair::{Pair, Turn};

use super::{
    grammar,
    pairs::{Keys, Pairs},
    tables::finished,
    wording::{self, Language},
};

/// Ways to ask, the first the most usual, and the answer; `{name}` are places.
pub(super) struct Rule {
    pub questions: &'static [&'static str],
    pub answer: &'static str,
}

pub(super) type Values<'a> = &'a [(&'a str, String)];

impl Rule {
    /// Adds one wording of the question about these values; `content` is what may be held out.
    pub(super) fn draw(&self, pairs: &mut Pairs, family: &str, values: Values, content: &str) {
        let (wording, Turn { question, answer }) = self.turn(pairs, values);
        let keys = Keys { wording: if wording == self.first() { "" } else { &wording }, content };
        pairs.add(family, keys, Pair::new(question, answer));
    }

    /// The wording before it was filled, and question and answer.
    pub(super) fn turn(&self, pairs: &mut Pairs, values: Values) -> (String, Turn) {
        let template = self.questions.choose(&mut pairs.rng).copied().unwrap_or(self.first());
        let wording = grammar::choose(template, &mut pairs.rng);
        let language = Language::of(&wording);
        let said = grammar::fill(&wording, values);
        let question = wording::ask(language, &said, &mut pairs.rng);
        let answer = finished(self.answer, grammar::fill(self.answer, values));
        (wording, Turn::new(question, answer))
    }

    fn first(&self) -> &'static str {
        self.questions.first().copied().unwrap_or("")
    }
}

/// A number in Chinese words: 0 to 999.
pub(super) fn chinese(number: u32) -> String {
    const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |it: u32| DIGITS[it as usize % 10];
    match number {
        0..10 => digit(number).to_owned(),
        10..20 if number == 10 => "十".to_owned(),
        10..20 => format!("十{}", digit(number)),
        20..100 if number.is_multiple_of(10) => format!("{}十", digit(number / 10)),
        20..100 => format!("{}十{}", digit(number / 10), digit(number)),
        _ => {
            let rest = match number % 100 {
                0 => String::new(),
                rest @ 1..10 => format!("零{}", digit(rest)),
                rest @ 10..20 => format!("一{}", chinese(rest)),
                rest => chinese(rest),
            };
            format!("{}百{rest}", digit(number / 100))
        }
    }
}

/// A number in English words: 0 to 999.
pub(super) fn english(number: u32) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] =
        ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    match number {
        0..20 => SMALL[number as usize].to_owned(),
        20..100 => {
            let tens = TENS[number as usize / 10];
            match number % 10 {
                0 => tens.to_owned(),
                ones => format!("{tens}-{}", SMALL[ones as usize]),
            }
        }
        _ => {
            let hundreds = format!("{} hundred", SMALL[number as usize / 100 % 10]);
            match number % 100 {
                0 => hundreds,
                rest => format!("{hundreds} and {}", english(rest)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read() {
        assert_eq!([0, 10, 17, 40, 85].map(chinese), ["零", "十", "十七", "四十", "八十五"]);
        assert_eq!(
            [100, 105, 112, 230].map(chinese),
            ["一百", "一百零五", "一百一十二", "二百三十"]
        );
        assert_eq!([7, 20, 42].map(english), ["seven", "twenty", "forty-two"]);
        assert_eq!(english(305), "three hundred and five");
    }
}
