//! The next token of rows of scores, drawn where the scores are.

use candle_core::{Result, Tensor};

/// How the next token is drawn from a row of scores, in this order.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    /// The token of a row with a score that is not finite.
    pub replacement: u32,
    /// Divides (multiplies, where negative) the scores of `penalized`, which differ from one another.
    pub penalty: f32,
    pub penalized: &'a [u32],
    /// The so many likeliest tokens are kept, of equal ones the lower; 0 keeps all, 1 is greedy.
    pub top_k: usize,
    /// Divides the scores.
    pub temperature: f32,
    /// The likeliest tokens whose probabilities reach this sum are kept; 1 keeps all.
    pub top_p: f32,
    /// Where the token lies in the sum of the probabilities that are kept, the likeliest first: 0 to 1, 1 excluded.
    pub point: f32,
}

/// The next token of each row of `scores` `[rows, vocab]`, f32, which are used up; `None` where the device cannot find them,
/// and the scores are as they were: on the processor.
#[cfg(feature = "cuda")]
pub fn sample(scores: &Tensor, draws: &[Draw]) -> Result<Option<Vec<u32>>> {
    if scores.device().is_cuda() {
        return super::cuda::sample(scores, draws);
    }
    Ok(None)
}

/// There is nothing but the processor.
#[cfg(not(feature = "cuda"))]
pub fn sample(_: &Tensor, _: &[Draw]) -> Result<Option<Vec<u32>>> {
    Ok(None)
}
