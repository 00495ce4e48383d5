//! Sums, differences, products and quotients of small numbers.
//!
//! What is held out is the pair of numbers, in every form: a sum that is answered right was computed, not remembered.

use rand::{Rng as _, seq::IndexedRandom as _};
use weft_shared::pair::Pair;

use super::Pairs;

/// One kind of sum: sign, words, and how it is read in both languages.
struct Operation {
    signs: &'static [&'static str],
    chinese: &'static str,
    english: &'static str,
}

const PLUS: Operation = Operation { signs: &["+"], chinese: "加", english: "plus" };
const MINUS: Operation = Operation { signs: &["-"], chinese: "减", english: "minus" };
const TIMES: Operation = Operation { signs: &["×", "*"], chinese: "乘以", english: "times" };
const OVER: Operation = Operation { signs: &["÷", "/"], chinese: "除以", english: "divided by" };

pub(super) fn add(pairs: &mut Pairs) {
    for a in 0..100 {
        for b in 0..100 {
            // Small numbers are asked more often than large ones.
            let forms = if a < 20 && b < 20 { 6 } else { 1 };
            sum(pairs, &PLUS, [a, b, a + b], forms);
            if b <= a {
                sum(pairs, &MINUS, [a, b, a - b], forms);
            }
        }
    }
    for a in 0..=12 {
        for b in 0..=12 {
            sum(pairs, &TIMES, [a, b, a * b], 10);
            if b > 0 {
                sum(pairs, &OVER, [a * b, b, a], 10);
            }
        }
    }
}

/// Asks one sum in `forms` ways.
fn sum(pairs: &mut Pairs, operation: &Operation, [a, b, result]: [u32; 3], forms: usize) {
    let Operation { signs, chinese, english } = operation;
    let key = format!("{a} {english} {b}");
    for _ in 0..forms {
        let sign = signs.choose(&mut pairs.rng).copied().unwrap_or(signs[0]);
        let (spaced, tight) = (format!("{a} {sign} {b}"), format!("{a}{sign}{b}"));
        let chinese_answer = format!("{a}{chinese}{b}等于{result}。");
        let english_answer = format!("{a} {english} {b} is {result}.");
        let (question, answer) = match pairs.rng.random_range(0..12) {
            0 => (tight.clone(), format!("{tight}={result}")),
            1 => (format!("{tight}="), format!("{tight}={result}")),
            2 => (format!("{tight}=?"), format!("{tight}={result}")),
            3 => (spaced.clone(), format!("{spaced} = {result}")),
            4 => (format!("{spaced} ="), format!("{spaced} = {result}")),
            5 => (format!("{tight}等于几"), chinese_answer),
            6 => (format!("{a}{chinese}{b}等于几？"), chinese_answer),
            7 => (format!("{a}{chinese}{b}等于多少"), chinese_answer),
            8 => (format!("{a}{chinese}{b}是多少？"), chinese_answer),
            9 => (format!("What is {spaced}?"), english_answer),
            10 => (format!("what is {a} {english} {b}?"), english_answer),
            _ => (format!("How much is {a} {english} {b}"), english_answer),
        };
        pairs.add("arithmetic", &key, Pair::new(question, answer));
    }
}
