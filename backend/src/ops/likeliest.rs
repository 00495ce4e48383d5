//! The likeliest tokens of a row of scores, found where the scores are.

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

/// The likeliest of `scores` `[vocab]`, f32. `None` where they are on the processor, or more than 64 are wanted.
#[cfg(feature = "cuda")]
pub fn likeliest(scores: &Tensor, choice: Choice) -> Result<Option<Likeliest>> {
    if scores.device().is_cuda() { super::cuda::likeliest(scores, choice) } else { Ok(None) }
}

/// There is nothing but the processor.
#[cfg(not(feature = "cuda"))]
pub fn likeliest(_: &Tensor, _: Choice) -> Result<Option<Likeliest>> {
    Ok(None)
}
