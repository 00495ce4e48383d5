//! How many questions a model answers as wanted: exact match after normalization, by family.

mod normalize;

use std::collections::VecDeque;

use weft_shared::{pair::Pair, score::Scores};

use crate::{
    chat::{Chat, Template},
    generation::{Generation, GenerationError, SamplingOptions, next_tokens},
};

pub use normalize::normalize;

/// A question, what was wanted and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered<'a> {
    pub pair: &'a Pair,
    pub answer: String,
    pub is_right: bool,
}

/// Whether a person would call the answer the pair's.
pub fn is_right(pair: &Pair, answer: &str) -> bool {
    normalize(answer) == normalize(&pair.answer)
}

/// Questions that are answered at once: enough for most of what a device gains by it.
pub const AT_ONCE: usize = 16;

/// Asks every question greedily, several at a time; `tell` hears of each in their order.
///
/// A pair's tags are the families that it counts in.
pub fn evaluate(
    chat: Chat,
    pairs: &[Pair],
    template: Template,
    max_tokens: usize,
    mut tell: impl FnMut(&Answered),
) -> Result<Scores, GenerationError> {
    let sampling = SamplingOptions { greedy: true, ..SamplingOptions::default() };
    let mut scores = Scores::default();
    let mut pairs = pairs.iter();
    let mut writing: VecDeque<(&Pair, Generation)> = VecDeque::new();
    let has_ended = |generation: &Generation| generation.finish().is_some();
    loop {
        while writing.iter().filter(|(_, it)| !has_ended(it)).count() < AT_ONCE
            && let Some(pair) = pairs.next()
        {
            let (history, question) = pair.conversation();
            let sampling = sampling.clone();
            let begun = chat.generation(&history, &question, template, sampling, max_tokens)?;
            writing.push_back((pair, begun));
        }
        let mut all: Vec<_> = writing.iter_mut().map(|(_, generation)| generation).collect();
        if all.is_empty() {
            return Ok(scores);
        }
        next_tokens(chat.model, &mut all).into_iter().try_for_each(|next| next.map(drop))?;
        while let Some((pair, generation)) = writing.pop_front_if(|(_, it)| has_ended(it)) {
            let answer = chat.text(generation.answer());
            let is_right = is_right(pair, &answer);
            scores.add(&pair.tags, is_right);
            tell(&Answered { pair, answer, is_right });
        }
    }
}
