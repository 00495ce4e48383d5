//! Who sees whom: the prompt sees itself whole, the answer only backwards.

use serde::{Deserialize, Serialize};

/// The attention mask of a sample as the rule it follows; three numbers instead of `seq * seq`.
///
/// Place `i` may see place `j` if `j <= i` or `j < context_length`. Padding sees nothing and is seen by nothing:
/// its rows are masked throughout, as in the published padding, so a softmax over one of them must not be given
/// minus infinity everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionMask {
    /// Places of the prompt before `<sop>`, padding not counted.
    pub context_length: usize,
    /// Places of the sample, padding not counted.
    pub length: usize,
    /// Places of padding before the sample.
    pub left_padding: usize,
}

impl AttentionMask {
    /// Rows and columns of the matrix: the sample and its padding.
    pub fn size(self) -> usize {
        self.left_padding + self.length
    }

    /// Whether `place` must not see `other`; both are counted with the padding.
    pub fn is_masked(self, place: usize, other: usize) -> bool {
        let padding = place < self.left_padding || other < self.left_padding;
        padding || (other > place && other >= self.left_padding + self.context_length)
    }

    /// The first place that `place` must not see; it sees all from the padding's end up to there.
    /// Equal to the padding's end where it sees nothing.
    pub fn seen_until(self, place: usize) -> usize {
        if place < self.left_padding {
            return self.left_padding;
        }
        (place + 1).max(self.left_padding + self.context_length).min(self.size())
    }

    /// The matrix `[seq, seq]`, row-major, true = masked: the reference's `attention_mask < 0.5`.
    pub fn expand(self) -> Vec<bool> {
        let size = self.size();
        let mut masked = vec![true; size * size];
        for place in self.left_padding..size {
            masked[place * size + self.left_padding..place * size + self.seen_until(place)]
                .fill(false);
        }
        masked
    }

    /// [`Self::expand`], one vector a row.
    pub fn rows(self) -> Vec<Vec<bool>> {
        match self.size() {
            0 => Vec::new(),
            size => self.expand().chunks(size).map(<[bool]>::to_vec).collect(),
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
        let mask = AttentionMask { context_length: 2, length: 4, left_padding: 0 };

        assert_eq!(mask.rows(), [[F, F, T, T], [F, F, T, T], [F, F, F, T], [F, F, F, F]]);
    }

    #[test]
    fn padding_sees_nothing_and_is_not_seen() {
        let mask = AttentionMask { context_length: 1, length: 2, left_padding: 1 };

        assert_eq!(mask.rows(), [[T, T, T], [T, F, T], [T, F, F]]);
    }

    proptest! {
        /// `tril(ones)`, columns of the context set to 1, `< 0.5`, then `np.pad(…, constant_values=True)`.
        #[test]
        fn the_rule_is_the_published_matrix(context_length in 0..8_usize, more in 0..8_usize, left_padding in 0..4_usize) {
            let length = context_length + more;
            let mask = AttentionMask { context_length, length, left_padding };

            let expanded = mask.expand();

            let size = length + left_padding;
            for row in 0..size {
                for column in 0..size {
                    let published = if row < left_padding || column < left_padding {
                        true
                    } else {
                        let (i, j) = (row - left_padding, column - left_padding);
                        let visible = if j < context_length || j <= i { 1.0 } else { 0.0 };
                        visible < 0.5
                    };
                    prop_assert_eq!(expanded[row * size + column], published);
                    prop_assert_eq!(mask.is_masked(row, column), published);
                }
            }
        }
    }
}
