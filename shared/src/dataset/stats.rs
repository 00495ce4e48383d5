//! How long the texts of a dataset are, in tokens.

use serde::{Deserialize, Serialize};

use crate::sample::Fit;

/// Lengths in tokens, over all pairs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetStats {
    pub pairs: usize,
    /// Prompts as in the samples but uncut and without the separator.
    pub question: LengthStats,
    /// Answers, uncut and without `<eop>`.
    pub answer: LengthStats,
    /// Pairs whose question is longer than it may be.
    pub long_questions: usize,
    /// Pairs whose answer is longer than it may be.
    pub long_answers: usize,
    /// Tokens of answers that are over the limit, and that no sample holds.
    pub answer_tokens_over: usize,
}

/// Where the lengths of many texts lie; all 0 when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LengthStats {
    pub total: usize,
    pub mean: f64,
    pub min: usize,
    pub median: usize,
    /// 9 of 10 texts are at most this long.
    pub p90: usize,
    /// 99 of 100 texts are at most this long.
    pub p99: usize,
    pub max: usize,
}

impl DatasetStats {
    /// From question and answer of each pair.
    pub fn of(fits: &[(Fit, Fit)]) -> Self {
        Self {
            pairs: fits.len(),
            question: LengthStats::of(fits.iter().map(|(question, _)| question.tokens).collect()),
            answer: LengthStats::of(fits.iter().map(|(_, answer)| answer.tokens).collect()),
            long_questions: fits.iter().filter(|(question, _)| question.is_cut()).count(),
            long_answers: fits.iter().filter(|(_, answer)| answer.is_cut()).count(),
            answer_tokens_over: fits.iter().map(|(_, answer)| answer.lost()).sum(),
        }
    }
}

impl LengthStats {
    pub fn of(mut lengths: Vec<usize>) -> Self {
        lengths.sort_unstable();
        let (Some(&min), Some(&max)) = (lengths.first(), lengths.last()) else {
            return Self::default();
        };
        // The smallest length that at least this share of all texts do not exceed.
        let at = |percent: usize| lengths[(lengths.len() * percent).div_ceil(100) - 1];
        let total: usize = lengths.iter().sum();
        let mean = total as f64 / lengths.len() as f64;
        Self { total, mean, min, median: at(50), p90: at(90), p99: at(99), max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let stats = LengthStats::of((1..=10).rev().collect());

        let wanted =
            LengthStats { total: 55, mean: 5.5, min: 1, median: 5, p90: 9, p99: 10, max: 10 };
        assert_eq!(stats, wanted);
    }

    #[test]
    fn nothing_has_no_lengths() {
        assert_eq!(LengthStats::of(vec![]), LengthStats::default());
        assert_eq!(LengthStats::of(vec![7]).p99, 7);
    }

    #[test]
    fn what_is_over_the_limit_is_counted() {
        let fit = |tokens| Fit { tokens, limit: 5 };

        let stats = DatasetStats::of(&[(fit(6), fit(5)), (fit(1), fit(9)), (fit(2), fit(6))]);

        assert_eq!((stats.long_questions, stats.long_answers, stats.answer_tokens_over), (1, 2, 5));
    }
}
