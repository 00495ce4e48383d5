//! The model's card: what it is, what it can do, and what was measured.

use std::fmt::Write as _;

use serde_json::Value;
use weft_shared::score::Score;

use super::measure::Measured;

/// What the card says about the model, beside what was measured.
pub(super) struct Facts<'a> {
    /// Of its `config.json`.
    pub config: &'a Value,
    pub weights_bytes: u64,
    pub pairs: usize,
    pub pieces: usize,
}

/// A family under this share of right answers is named among what the model is bad at.
const WEAK: f64 = 0.75;

/// The card in both languages; the page shows it.
pub(super) fn card(facts: &Facts, measured: &Measured) -> String {
    let mut table = String::new();
    for (family, scores) in &measured.families {
        let _ = writeln!(table, "| {family} | {} |", columns(scores));
    }
    let _ = write!(table, "| **all 合计** | {} |", columns(&measured.all));
    let number = |name: &str| facts.config[name].as_u64().unwrap_or(0).to_string();
    let weights = facts.weights_bytes / 2;
    let filled = [
        ("{layers}", number("num_layers")),
        ("{width}", number("hidden_size")),
        ("{heads}", number("num_attention_heads")),
        ("{weights}", format!("{:.1}", weights as f64 / 1e6)),
        ("{megabytes}", format!("{:.1}", facts.weights_bytes as f64 / 1e6)),
        ("{share}", format!("{}", (6_170_000_000 / weights.max(1)).div_ceil(50) * 50)),
        ("{pieces}", facts.pieces.to_string()),
        ("{pairs}", facts.pairs.to_string()),
        ("{right}", format!("{:.0}", 100.0 * measured.all[0].share())),
        ("{weak}", weak(measured, "nothing that was measured")),
        ("{weak_chinese}", weak(measured, "没有")),
        ("{table}", table),
    ];
    filled.iter().fold(TEXT.to_owned(), |card, (name, value)| card.replace(name, value))
}

/// Questions, and the share of right answers with where it lies, in both forms.
fn columns([bare, training]: &[Score; 2]) -> String {
    let share = |score: &Score| {
        let (low, high) = score.interval();
        format!("{:.0} % ({:.0}–{:.0})", 100.0 * score.share(), 100.0 * low, 100.0 * high)
    };
    format!("{} | {} | {}", bare.asked, share(bare), share(training))
}

/// The families that are more often wrong than others, or `none`.
fn weak(measured: &Measured, none: &str) -> String {
    let weak = measured.families.iter().filter(|(_, scores)| scores[0].share() < WEAK);
    let weak: Vec<String> = weak
        .map(|(family, scores)| format!("{family} ({:.0} %)", 100.0 * scores[0].share()))
        .collect();
    if weak.is_empty() { none.to_owned() } else { weak.join(", ") }
}

const TEXT: &str = include_str!("card.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_card_is_filled() {
        let config =
            serde_json::json!({ "num_layers": 8, "hidden_size": 256, "num_attention_heads": 4 });
        let facts = Facts { config: &config, weights_bytes: 15_000_000, pairs: 7, pieces: 4500 };
        let scores = [Score { right: 7, asked: 10 }, Score { right: 9, asked: 10 }];
        let measured = Measured { all: scores, families: [("sums".to_owned(), scores)].into() };

        let card = card(&facts, &measured);

        assert!(!card.contains(['{', '}']), "{card}");
        assert!(card.contains("| sums | 10 | 70 % (40–89) | 90 % (60–98) |"), "{card}");
        assert!(card.contains("sums (70 %)"), "{card}");
    }
}
