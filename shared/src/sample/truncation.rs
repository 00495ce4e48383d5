//! What becomes of text that is too long.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

/// What becomes of a question or an answer that has more tokens than it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Truncation {
    /// The first tokens are kept: the published treatment.
    #[default]
    End,
    /// The last tokens are kept, of question and answer alike: the published code with `truncation_side = "left"`.
    /// The question loses its template first, then its oldest turns; the answer keeps its true end, so `<eop>` is
    /// right, but begins in the middle.
    Front,
    /// The pair gives no sample, and the caller is told.
    Drop,
}

impl Truncation {
    /// At most `limit` of `ids`; nothing if the pair is to be dropped.
    pub(super) fn cut(self, ids: &[u32], limit: usize) -> Option<&[u32]> {
        self.kept(ids.len(), limit).map(|kept| &ids[kept])
    }

    /// Which of `tokens` tokens a sample takes, if it may take `limit`; nothing if the pair is to be dropped.
    pub(super) fn kept(self, tokens: usize, limit: usize) -> Option<Range<usize>> {
        let surplus = tokens.saturating_sub(limit);
        match self {
            _ if surplus == 0 => Some(0..tokens),
            Self::End => Some(0..limit),
            Self::Front => Some(surplus..tokens),
            Self::Drop => None,
        }
    }
}

/// How many tokens a text has, and how many it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fit {
    /// Tokens of the uncut text.
    pub tokens: usize,
    /// Most tokens that a sample takes of it.
    pub limit: usize,
}

impl Fit {
    pub fn is_cut(self) -> bool {
        self.tokens > self.limit
    }

    /// Tokens in the sample.
    pub fn kept(self) -> usize {
        self.tokens.min(self.limit)
    }

    /// Tokens that the sample lacks.
    pub fn lost(self) -> usize {
        self.tokens - self.kept()
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of at most {} tokens", self.tokens, self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_treatment_keeps_its_side() {
        let ids = [1, 2, 3, 4];

        assert_eq!(Truncation::End.cut(&ids, 3), Some(&[1, 2, 3][..]));
        assert_eq!(Truncation::Front.cut(&ids, 3), Some(&[2, 3, 4][..]));
        assert_eq!(Truncation::Drop.cut(&ids, 3), None);
    }

    #[test]
    fn what_fits_is_kept_by_all() {
        for truncation in [Truncation::End, Truncation::Front, Truncation::Drop] {
            assert_eq!(truncation.cut(&[1, 2], 2), Some(&[1, 2][..]));
        }
    }
}
