//! Sums, differences, products and quotients of small numbers, in digits and words.
//!
//! What is held out is the pair of numbers, in every form: a sum that is answered right was computed, not remembered.

mod wordings;

use rand::{Rng as _, seq::IndexedRandom as _};
use weft_shared::pair::{Pair, Turn};

use self::wordings::{
    HALVES, MINUS, MORE, OF_ONE, OVER, Operation, PLUS, SIGNED, THREE, TIMES, TOO_HARD_CHINESE,
    TOO_HARD_ENGLISH,
};
use super::{
    pairs::{Keys, Pairs},
    rules::{chinese, english},
    wording::Language,
};

const FAMILY: &str = "arithmetic";
const IN_WORDS: &str = "sums in words";

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
    for place in 0..1000 {
        let [a, b, c] = [place / 100, place / 10 % 10, place % 10];
        let named = [("a", a), ("b", b), ("c", c), ("r", a + b + c)];
        let values = named.map(|(name, value)| (name, value.to_string()));
        (0..6).for_each(|_| THREE.draw(pairs, FAMILY, &values, &format!("{a}+{b}+{c}")));
    }
}

/// "And three more?", after a sum.
fn goes_on(pairs: &mut Pairs) {
    for _ in 0..9000 {
        let told = [(); 2].map(|()| pairs.rng.random_range(0..50_u32));
        let other = pairs.rng.random_range(1..20);
        let Some((rule, adds)) = MORE.choose(&mut pairs.rng) else { continue };
        let sum = told[0] + told[1];
        let Some(result) = (if *adds { Some(sum + other) } else { sum.checked_sub(other) }) else {
            continue;
        };
        let first = match Language::of(rule.answer) {
            Language::Chinese => &PLUS.chinese,
            Language::English => &PLUS.english,
        };
        let values = [("a", told[0]), ("b", told[1]), ("r", sum)];
        let (_, mut earlier) = first.turn(pairs, &values.map(|(name, it)| (name, it.to_string())));
        let signed = format!("{}+{}", told[0], told[1]);
        let content = format!("{signed} {other}");
        if pairs.rng.random_bool(0.4) {
            earlier = Turn::new(&signed, format!("{signed}={sum}"));
        }
        let values = [("a", sum), ("b", other), ("r", result)];
        let (_, turn) = rule.turn(pairs, &values.map(|(name, it)| (name, it.to_string())));
        let pair = Pair { history: vec![earlier], ..Pair::new(turn.question, turn.answer) };
        pairs.add("follow-ups", Keys { wording: "", content: &content }, pair);
    }
}

/// Numbers that are too large are declined.
fn too_hard(pairs: &mut Pairs) {
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
        let rule = if pairs.rng.random_bool(0.5) { &TOO_HARD_CHINESE } else { &TOO_HARD_ENGLISH };
        rule.draw(pairs, "too hard", &values, &format!("{a}{sign}{b}"));
    }
}
