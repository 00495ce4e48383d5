//! The model's card: what it is, what it can do, and what was measured.

use std::fmt::Write as _;

use super::measure::Measured;

/// The card in both languages; the page shows it.
pub(super) fn card(pairs: usize, measured: &Measured) -> String {
    let mut table = String::new();
    for (family, bare, training, questions) in &measured.families {
        let percent = |exact: usize| 100.0 * exact as f64 / (*questions).max(1) as f64;
        let _ = writeln!(
            table,
            "| {family} | {questions} | {:.0} % | {:.0} % |",
            percent(*bare),
            percent(*training)
        );
    }
    TEXT.replace("{pairs}", &pairs.to_string()).replace("{table}", table.trim_end())
}

const TEXT: &str = include_str!("card.md");
