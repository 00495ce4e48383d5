//! Families that stand in data files: what is said and asked, and the rows of a table that it is asked about.

use std::collections::HashSet;

use rand::{Rng as _, seq::IndexedRandom as _};
use weft_shared::pair::{Pair, Turn};

use super::{
    grammar::{self, Block},
    pairs::{Keys, Pairs},
    wording::{self, Language, capitalized},
};

/// Data of one family: `{0}` in its blocks is the first column of a row.
struct Family {
    name: &'static str,
    blocks: &'static str,
    /// Empty where nothing is filled.
    rows: &'static str,
    /// About so many pairs are drawn; what was drawn before is not added again.
    draws: usize,
}

macro_rules! family {
    ($name:literal, $file:literal, $draws:literal) => {
        Family {
            name: $name,
            blocks: include_str!(concat!("data/", $file, ".txt")),
            rows: "",
            draws: $draws,
        }
    };
    ($name:literal, $file:literal, $draws:literal, $rows:literal) => {
        Family {
            name: $name,
            blocks: include_str!(concat!("data/", $file, ".txt")),
            rows: include_str!(concat!("data/", $rows, ".tsv")),
            draws: $draws,
        }
    };
}

const FAMILIES: [Family; 18] = [
    family!("greetings", "greetings", 22_000),
    family!("identity", "identity", 26_000),
    family!("small talk", "small_talk", 34_000),
    family!("small facts", "questions", 32_000),
    family!("refusals", "refusals", 34_000),
    family!("capitals", "capitals", 16_000, "capitals"),
    family!("countries", "countries", 14_000, "capitals"),
    family!("colours", "colours", 8_000, "colours"),
    family!("animals", "animals", 10_000, "animals"),
    family!("opposites", "opposites", 14_000, "opposites"),
    family!("plurals", "plurals", 10_000, "plurals"),
    family!("past tense", "past_tense", 6_000, "past_tense"),
    family!("measure words", "measure_words", 6_000, "measure_words"),
    family!("words", "words", 40_000, "words"),
    family!("kinds", "kinds", 16_000, "words"),
    family!("proverbs", "proverbs", 5_000, "proverbs"),
    family!("festivals", "festivals", 4_000, "festivals"),
    family!("synonyms", "synonyms", 5_000, "synonyms"),
];

pub(super) fn add(pairs: &mut Pairs) {
    for family in &FAMILIES {
        family.add(pairs);
    }
}

/// The rows of a table; a family without one has a single row without columns.
pub(super) fn rows(table: &'static str) -> Vec<Vec<&'static str>> {
    if table.is_empty() {
        return vec![Vec::new()];
    }
    table.lines().filter(|it| !it.starts_with('#')).map(|it| it.split('\t').collect()).collect()
}

/// The columns as values of `{0}`, `{1}`, …, or nothing where a column that the templates use is empty.
pub(super) fn filled(template: &str, row: &[&str]) -> Option<String> {
    let mut filled = template.to_owned();
    for place in grammar::places(template) {
        let value = place.parse::<usize>().ok().and_then(|it| row.get(it))?;
        if value.is_empty() {
            return None;
        }
        filled = filled.replace(&format!("{{{place}}}"), value);
    }
    Some(filled)
}

/// An English answer starts with a capital letter, unless its template starts with `=`.
pub(super) fn finished(template: &str, answer: String) -> String {
    if let Some(raw) = answer.strip_prefix('=') {
        return raw.to_owned();
    }
    match Language::of(template) {
        Language::English => capitalized(&answer),
        Language::Chinese => answer,
    }
}

impl Family {
    fn add(&self, pairs: &mut Pairs) {
        let (blocks, rows) = (grammar::blocks(self.blocks), rows(self.rows));
        let draws = (self.draws / (blocks.len() * rows.len())).max(2);
        for block in &blocks {
            // What is asked with the same words was asked before: the first row answers.
            let mut asked = HashSet::new();
            let rows: Vec<_> = rows
                .iter()
                .filter(|row| {
                    block.questions.first().is_none_or(|it| asked.insert(filled(it, row)))
                })
                .collect();
            for row in &rows {
                for _ in 0..draws {
                    self.draw(pairs, block, row);
                }
                for _ in 0..draws.div_ceil(6) {
                    if let Some(before) = rows.choose(&mut pairs.rng).copied() {
                        self.follow_up(pairs, block, before, row);
                    }
                }
            }
        }
    }

    fn draw(&self, pairs: &mut Pairs, block: &Block, row: &[&str]) {
        let Some(place) =
            (!block.questions.is_empty()).then(|| pairs.rng.random_range(0..block.questions.len()))
        else {
            return;
        };
        let Some((wording, turn)) = turn(pairs, block, block.questions[place], row) else { return };
        // The first wording is what people type most: it is always trained.
        let key = if place == 0 { "" } else { &wording };
        pairs.add(self.name, Keys::wording(key), Pair::new(turn.question, turn.answer));
    }

    /// "And of that?", after the same was asked of another row.
    fn follow_up(&self, pairs: &mut Pairs, block: &Block, before: &[&str], row: &[&str]) {
        let Some(template) = block.follow_ups.choose(&mut pairs.rng) else { return };
        let Some(first) = block.questions.choose(&mut pairs.rng) else { return };
        let Some((wording, earlier)) = turn(pairs, block, first, before) else { return };
        let Some((_, turn)) = turn(pairs, block, template, row) else { return };
        if before == row || super::pairs::is_held_out(self.name, Keys::wording(&wording)) {
            return;
        }
        let pair = Pair { history: vec![earlier], ..Pair::new(turn.question, turn.answer) };
        let content = format!("{before:?} {row:?}");
        pairs.add("follow-ups", Keys { wording: "", content: &content }, pair);
    }
}

/// A question of the block about the row, and the wording before its places were filled.
fn turn(pairs: &mut Pairs, block: &Block, question: &str, row: &[&str]) -> Option<(String, Turn)> {
    let wording = grammar::choose(question, &mut pairs.rng);
    let said = filled(&wording, row)?;
    let asked = wording::ask(Language::of(&wording), &said, &mut pairs.rng);
    let answer = finished(block.answer, filled(block.answer, row)?);
    Some((wording, Turn::new(asked, answer)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_block_has_questions_of_its_own() {
        let mut answers = HashMap::new();
        for family in &FAMILIES {
            for block in grammar::blocks(family.blocks) {
                assert!(!block.questions.is_empty(), "{}: {}", family.name, block.answer);
                for question in block.questions {
                    let before = answers.insert((family.rows, question), block.answer);
                    assert_eq!(before, None, "{}: {question} is asked twice", family.name);
                }
            }
        }
    }

    #[test]
    fn rows_of_a_table_are_as_wide() {
        for family in &FAMILIES {
            let rows = rows(family.rows);
            let width = rows[0].len();
            for row in rows {
                assert_eq!(row.len(), width, "{}: {row:?}", family.name);
            }
        }
    }
}
