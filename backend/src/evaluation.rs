//! How many questions a model answers as wanted: exact match after normalization, by family.

mod normalize;

use weft_shared::{pair::Pair, score::Scores};

use crate::{
    chat::{Chat, Template},
    generation::{GenerationError, SamplingOptions},
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

/// Asks every question greedily; `tell` hears of each as it is answered.
///
/// A pair's tags are the families that it counts in.
pub fn evaluate(
    chat: Chat,
    pairs: &[Pair],
    template: Template,
    max_tokens: usize,
    mut tell: impl FnMut(&Answered),
) -> Result<Scores, GenerationError> {
    let mut scores = Scores::default();
    for pair in pairs {
        let (history, question) = pair.conversation();
        let sampling = SamplingOptions { greedy: true, ..SamplingOptions::default() };
        let mut writing = chat.answer(&history, &question, template, sampling, max_tokens)?;
        let mut answer = String::new();
        while let Some(text) = writing.next_text()? {
            answer += &text;
        }
        let is_right = is_right(pair, &answer);
        scores.add(&pair.tags, is_right);
        tell(&Answered { pair, answer, is_right });
    }
    Ok(scores)
}
