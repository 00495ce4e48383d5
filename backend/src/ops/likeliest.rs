//! The likeliest tokens of rows of scores, found where the scores are.

use candle_core::{Result, Tensor};

/// How scores are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Tokens wanted.
    pub count: usize,
    /// Divides (multiplies, where negative) the scores of `penalized`, which differ from one another.
    pub penalty: f32,
    pub penalized: &'a [u32],
}

/// What the scores say.
#[derive(Clone, Debug, PartialEq)]
pub enum Likeliest {
    /// Tokens and scores, the highest first; of equal ones the lower token.
    Tokens(Vec<(u32, f32)>),
    /// A score is not finite.
    Invalid,
}

/// The likeliest of each row of `scores` `[rows, vocab]`, f32, looked at by the row's choice. `None` for a row where more
/// than 64 or all are wanted, and for all rows on the processor: then the scores are as they were.
#[cfg(feature = "cuda")]
pub fn likeliest(scores: &Tensor, choices: &[Choice]) -> Result<Vec<Option<Likeliest>>> {
    if scores.device().is_cuda() {
        return super::cuda::likeliest(scores, choices);
    }
    Ok(vec![None; choices.len()])
}

/// There is nothing but the processor.
#[cfg(not(feature = "cuda"))]
pub fn likeliest(_: &Tensor, choices: &[Choice]) -> Result<Vec<Option<Likeliest>>> {
    Ok(vec![None; choices.len()])
}
