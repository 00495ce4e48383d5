//! Who sees whom: the prompt sees itself whole, the answer only backwards.

use serde::{Deserialize, Serialize};

/// The attention mask of a sample as the rule it follows; three numbers instead of `seq * seq`.
///
/// Place `i` may see place `j` if `j <= i` or `j < context_length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionMask {
    /// Places of the prompt before `<sop>`.
    pub context_length: usize,
    /// Places of the sample: rows and columns of the matrix.
    pub length: usize,
}

impl AttentionMask {
    /// Whether `place` must not see `other`.
    pub fn is_masked(self, place: usize, other: usize) -> bool {
        other > place && other >= self.context_length
    }

    /// The first place that `place` must not see; it sees all up to there.
    pub fn seen_until(self, place: usize) -> usize {
        (place + 1).max(self.context_length).min(self.length)
    }

    /// The matrix `[seq, seq]`, row-major, true = masked: the reference's `attention_mask < 0.5`.
    pub fn expand(self) -> Vec<bool> {
        let length = self.length;
        let mut masked = vec![true; length * length];
        for place in 0..length {
            masked[place * length..place * length + self.seen_until(place)].fill(false);
        }
        masked
    }

    /// [`Self::expand`], one vector a row.
    pub fn rows(self) -> Vec<Vec<bool>> {
        match self.length {
            0 => Vec::new(),
            length => self.expand().chunks(length).map(<[bool]>::to_vec).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const F: bool = false;
    const T: bool = true;

    #[test]
    fn the_prompt_sees_itself_and_the_answer_sees_backwards() {
        let mask = AttentionMask { context_length: 2, length: 4 };

        assert_eq!(mask.rows(), [[F, F, T, T], [F, F, T, T], [F, F, F, T], [F, F, F, F]]);
    }

    proptest! {
        /// `tril(ones)`, columns of the context set to 1, `< 0.5`.
        #[test]
        fn the_rule_is_the_published_matrix(context_length in 0..8_usize, more in 0..8_usize) {
            let length = context_length + more;
            let mask = AttentionMask { context_length, length };

            let expanded = mask.expand();

            for row in 0..length {
                for column in 0..length {
                    let visible = if column < context_length || column <= row { 1.0 } else { 0.0 };
                    let published = visible < 0.5;
                    prop_assert_eq!(expanded[row * length + column], published);
                    prop_assert_eq!(mask.is_masked(row, column), published);
                }
            }
        }
    }
}
