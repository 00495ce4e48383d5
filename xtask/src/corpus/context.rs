//! What was said before changes nothing about a question that stands alone.

use rand::{Rng as _, seq::IndexedRandom as _};
use weft_shared::pair::{Pair, Turn};

use super::pairs::{Keys, Pairs};

const FAMILY: &str = "in conversation";

pub(super) fn add(pairs: &mut Pairs) {
    let alone: Vec<Pair> = pairs.train.iter().filter(|it| it.history.is_empty()).cloned().collect();
    for number in 0..40_000_u32 {
        let before = *[1, 1, 1, 2, 2, 3].choose(&mut pairs.rng).unwrap_or(&1);
        let mut said: Vec<Pair> =
            alone.choose_multiple(&mut pairs.rng, before + 1).cloned().collect();
        let Some(asked) = said.pop() else { continue };
        // What a person tells of themselves is no mere history.
        if said.iter().any(|it| it.tags[0] == "told") || asked.tags[0] == "told" {
            continue;
        }
        let history = said.into_iter().map(|it| Turn::new(it.question, it.answer)).collect();
        let content =
            if pairs.rng.random_bool(0.5) { format!("context {number}") } else { String::new() };
        let pair = Pair { history, ..Pair::new(asked.question, asked.answer) };
        pairs.add(FAMILY, Keys { wording: "", content: &content }, pair);
    }
}
