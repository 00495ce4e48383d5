//! How long pairs are in tokens, as far as the worker has counted.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use weft_shared::pair::Pair;

use super::rows::{Row, Rows};
use crate::worker::Measure;

/// Pairs, and bytes of text, that are counted with one request at most: the worker answers others between two.
const CHUNK: usize = 400;
const CHUNK_BYTES: usize = 300_000;

/// Counts by content: a pair that comes back needs no counting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lengths {
    known: HashMap<u64, Measure>,
}

/// The two parts of a pair that have a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Question,
    Answer,
}

/// Pairs to count, and what they will be known by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uncounted {
    contents: Vec<u64>,
    pairs: Vec<Arc<Pair>>,
}

impl Uncounted {
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }

    pub fn pairs(&self) -> Vec<Pair> {
        self.pairs.iter().map(|pair| (**pair).clone()).collect()
    }
}

impl Lengths {
    pub fn of(&self, row: &Row) -> Option<Measure> {
        self.known.get(&row.content()).copied()
    }

    /// Tokens of one part of a row's pair.
    pub fn tokens(&self, row: &Row, part: Part) -> Option<usize> {
        let measure = self.of(row)?;
        Some(match part {
            Part::Question => measure.question.tokens,
            Part::Answer => measure.answer.tokens,
        })
    }

    /// The next pairs to count.
    pub fn uncounted(&self, rows: &Rows) -> Uncounted {
        let mut taken = HashSet::new();
        let mut uncounted = Uncounted::default();
        let mut bytes = 0;
        let unknown = rows.iter().filter(|row| self.of(row).is_none());
        for row in unknown.filter(|row| taken.insert(row.content())) {
            uncounted.contents.push(row.content());
            uncounted.pairs.push(row.pair.clone());
            bytes += row.pair.question.len() + row.pair.answer.len();
            if uncounted.contents.len() == CHUNK || bytes > CHUNK_BYTES {
                break;
            }
        }
        uncounted
    }

    /// Takes what the worker counted, in the order that it was asked for.
    pub fn learn(&mut self, uncounted: Uncounted, measures: Vec<Measure>) {
        self.known.extend(uncounted.contents.into_iter().zip(measures));
    }

    /// Other options or another vocabulary: nothing is known any more.
    pub fn forget(&mut self) {
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::sample::Fit;

    use super::*;

    fn rows(questions: &[&str]) -> Rows {
        let row = |(n, question): (usize, &&str)| Row::new(n as i64, Pair::new(*question, "a"));
        questions.iter().enumerate().map(row).collect()
    }

    fn measure(tokens: usize) -> Measure {
        let fit = Fit { tokens, limit: 5 };
        Measure { question: fit, answer: fit, sample: 2 * tokens }
    }

    #[test]
    fn each_content_is_counted_once() {
        let rows = rows(&["a", "b", "a"]);
        let mut lengths = Lengths::default();

        let uncounted = lengths.uncounted(&rows);
        assert_eq!(uncounted.pairs(), [Pair::new("a", "a"), Pair::new("b", "a")]);
        lengths.learn(uncounted, vec![measure(1), measure(2)]);

        assert!(lengths.uncounted(&rows).is_empty());
        let tokens = |place| lengths.tokens(rows.at(place).unwrap(), Part::Answer);
        assert_eq!([tokens(0), tokens(1), tokens(2)], [Some(1), Some(2), Some(1)]);
    }

    #[test]
    fn many_are_counted_in_chunks() {
        let questions: Vec<String> = (0..CHUNK + 10).map(|n| n.to_string()).collect();
        let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
        let rows = rows(&questions);

        assert_eq!(Lengths::default().uncounted(&rows).pairs().len(), CHUNK);
    }

    #[test]
    fn a_chunk_of_long_texts_has_few_of_them() {
        let long = "x".repeat(CHUNK_BYTES);
        let rows = rows(&[&format!("1{long}"), &format!("2{long}")]);

        assert_eq!(Lengths::default().uncounted(&rows).pairs().len(), 1);
    }
}
