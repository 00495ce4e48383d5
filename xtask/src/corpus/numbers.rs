//! Counting, comparing, odd and even.

use rand::Rng as _;
use weft_shared::pair::Pair;

use super::{
    Pairs,
    wording::{self, Language},
};

const FAMILY: &str = "numbers";

pub(super) fn add(pairs: &mut Pairs) {
    for number in 1..=100 {
        neighbours(pairs, number);
        parity(pairs, number);
    }
    for from in 1..=20 {
        for to in from + 1..=from + 9 {
            count(pairs, from, to);
        }
    }
    for _ in 0..2000 {
        compare(pairs);
    }
}

fn neighbours(pairs: &mut Pairs, number: u32) {
    let (after, before) = (number + 1, number - 1);
    for (chinese, english, answer) in [("后面", "after", after), ("前面", "before", before)] {
        let told = format!("{number}{chinese}是{answer}。");
        for question in [format!("{number}{chinese}是几"), format!("{number}{chinese}的数是几")]
        {
            pairs.add_wordings(FAMILY, Language::Chinese, &question, &told, 2);
        }
        let told = format!("The number {english} {number} is {answer}.");
        for question in [
            format!("what comes {english} {number}"),
            format!("which number comes {english} {number}"),
        ] {
            pairs.add_wordings(FAMILY, Language::English, &question, &told, 2);
        }
    }
}

fn parity(pairs: &mut Pairs, number: u32) {
    let (chinese, english) =
        if number.is_multiple_of(2) { ("偶数", "even") } else { ("奇数", "odd") };
    let question = format!("{number}是奇数还是偶数");
    pairs.add_wordings(FAMILY, Language::Chinese, &question, &format!("{number}是{chinese}。"), 2);
    let question = format!("is {number} odd or even");
    pairs.add_wordings(FAMILY, Language::English, &question, &format!("{number} is {english}."), 2);
}

fn count(pairs: &mut Pairs, from: u32, to: u32) {
    let numbers: Vec<String> = (from..=to).map(|it| it.to_string()).collect();
    let (chinese, english) = (numbers.join("、"), numbers.join(", "));
    for question in [format!("从{from}数到{to}"), format!("请从{from}数到{to}")] {
        pairs.add_wordings(FAMILY, Language::Chinese, &question, &chinese, 2);
    }
    let question = format!("count from {from} to {to}");
    pairs.add_wordings(FAMILY, Language::English, &question, &english, 3);
}

/// Which of two numbers is larger; the two numbers are held out together.
fn compare(pairs: &mut Pairs) {
    let (a, b) = (pairs.rng.random_range(0..100u32), pairs.rng.random_range(0..100u32));
    if a == b {
        return;
    }
    let key = format!("{} and {}", a.min(b), a.max(b));
    let larger = pairs.rng.random_bool(0.6);
    let answer = if larger { a.max(b) } else { a.min(b) };
    let (chinese, english) = if larger { ("大", "larger") } else { ("小", "smaller") };
    let question = format!("{a}和{b}哪个{chinese}");
    let question = wording::ask(Language::Chinese, &question, &mut pairs.rng);
    pairs.add(FAMILY, &key, Pair::new(question, format!("{answer}更{chinese}。")));
    let question = format!("which is {english}, {a} or {b}");
    let question = wording::ask(Language::English, &question, &mut pairs.rng);
    pairs.add(FAMILY, &key, Pair::new(question, format!("{answer} is {english}.")));
}
