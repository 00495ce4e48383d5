//! Where each token stands: in the text, and in the answer.
//!
//! ChatGLM-6B reads two position ids a token. Row 0 counts through the text; what it does from `<sop>` on depends
//! on the revision and on whether the sequence fills a `[MASK]` or a `[gMASK]`. Row 1 is 0 up to `<sop>`, which
//! is 1, and counts on from there.
//!
//! | row 0 from `<sop>` on      | `[gMASK]`                 | `[MASK]`                  |
//! | -------------------------- | ------------------------- | ------------------------- |
//! | `096f3de`                  | counts on                 | the index of `[MASK]`     |
//! | `main`, two rows           | the index of `[gMASK]`    | the index of `[MASK]`     |
//! | `main`, one row            | counts on                 | the index of `[MASK]`     |
//!
//! A sequence with `[MASK]` anywhere counts as a `[MASK]` sequence, literal text included: the published code
//! looks at ids. Only `main` while it generates looks for `[gMASK]` first.
//!
//! For the published example (`AI探险家帅不帅?`, 21 tokens, `<sop>` at 15) the tutorial *prints* a second row of
//! sixteen zeros and 1 to 5. Its own code, run, gives fifteen zeros and 1 to 6. Weft follows the code.

use serde::{Deserialize, Serialize};

use super::SampleError;
use crate::tokenizer::SpecialIds;

/// Which revision's rule fills row 0 from `<sop>` on.
///
/// Training samples take the tutorial's, [`PositionRule::V096f3de`], whatever the vocabulary: that is what the
/// published samples of both revisions hold. Generation takes the rule of the model's own revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PositionRule {
    /// The tutorial's revision: 150,528 rows in the embedding.
    #[default]
    #[serde(rename = "096f3de")]
    V096f3de,
    /// The last revision: 130,528 rows.
    #[serde(rename = "main")]
    Main,
}

/// Position ids of a sequence, each row `[seq]`; in JSON a list of two lists, or one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PositionIds {
    /// Where in the text.
    OneRow(Vec<u32>),
    /// Where in the text, and where in the answer.
    TwoRows([Vec<u32>; 2]),
}

impl PositionIds {
    pub fn rows(&self) -> &[Vec<u32>] {
        match self {
            Self::OneRow(row) => std::slice::from_ref(row),
            Self::TwoRows(rows) => rows,
        }
    }
}

/// The index of the first `<sop>`: how many places every other place may see.
pub fn context_length(ids: &[u32], special: SpecialIds) -> Result<usize, SampleError> {
    index_of(ids, special.sop).ok_or(SampleError::NoSuchSpecial("<sop>"))
}

/// Position ids of a training sample, `[seq]` a row.
pub fn position_ids(
    rule: PositionRule,
    ids: &[u32],
    special: SpecialIds,
    two_rows: bool,
) -> Result<PositionIds, SampleError> {
    let context_length = context_length(ids, special)?;
    let filled = Filled::find([special.mask, special.gmask], ids, special)?;
    Ok(rows(rule, ids.len(), context_length, filled, two_rows))
}

/// Position ids while the model answers: the prompt at once, then token by token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerationPositions {
    rule: PositionRule,
    two_rows: bool,
    prompt_length: usize,
    context_length: usize,
    filled: Filled,
}

impl GenerationPositions {
    /// `prompt_ids` end in `<sop>`.
    pub fn new(
        rule: PositionRule,
        prompt_ids: &[u32],
        special: SpecialIds,
        two_rows: bool,
    ) -> Result<Self, SampleError> {
        let order = match rule {
            PositionRule::V096f3de => [special.mask, special.gmask],
            PositionRule::Main => [special.gmask, special.mask],
        };
        Ok(Self {
            rule,
            two_rows,
            prompt_length: prompt_ids.len(),
            context_length: context_length(prompt_ids, special)?,
            filled: Filled::find(order, prompt_ids, special)?,
        })
    }

    /// Places of the prompt before `<sop>`: every place sees them.
    pub fn context_length(self) -> usize {
        self.context_length
    }

    /// Of the whole prompt, `[seq]` a row.
    pub fn prompt(self) -> PositionIds {
        rows(self.rule, self.prompt_length, self.context_length, self.filled, self.two_rows)
    }

    /// Of the generated token number `step`, counted from 0, when it is fed back: one place a row.
    ///
    /// Row 0 is the index of the mask token in every revision, also where the prompt's row 0 counted on.
    pub fn generated(self, step: usize) -> PositionIds {
        let text = vec![self.filled.index as u32];
        if self.two_rows {
            let block = self.prompt_length + step + 1 - self.context_length;
            PositionIds::TwoRows([text, vec![block as u32]])
        } else {
            PositionIds::OneRow(text)
        }
    }
}

/// The mask token that the answer fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Filled {
    index: usize,
    is_gmask: bool,
}

impl Filled {
    /// The first of `order` that `ids` holds.
    fn find(order: [u32; 2], ids: &[u32], special: SpecialIds) -> Result<Self, SampleError> {
        order
            .into_iter()
            .find_map(|token| {
                index_of(ids, token).map(|index| Self { index, is_gmask: token == special.gmask })
            })
            .ok_or(SampleError::NoSuchSpecial("[MASK] or [gMASK]"))
    }
}

fn rows(
    rule: PositionRule,
    length: usize,
    context_length: usize,
    filled: Filled,
    two_rows: bool,
) -> PositionIds {
    let counts_on = filled.is_gmask && (rule == PositionRule::V096f3de || !two_rows);
    let text = (0..length)
        .map(|i| if i < context_length || counts_on { i } else { filled.index } as u32)
        .collect();
    if !two_rows {
        return PositionIds::OneRow(text);
    }
    let block = (0..length).map(|i| (i + 1).saturating_sub(context_length) as u32).collect();
    PositionIds::TwoRows([text, block])
}

fn index_of(ids: &[u32], wanted: u32) -> Option<usize> {
    ids.iter().position(|&id| id == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIAL: SpecialIds = SpecialIds { mask: 90, gmask: 91, sop: 94, eop: 95, pad: 93 };
    const GMASK: [u32; 6] = [1, 2, 91, 94, 3, 95];
    const MASK: [u32; 6] = [1, 90, 2, 94, 3, 95];

    #[test]
    fn row_0_follows_the_table() {
        for (rule, ids, two_rows, wanted) in [
            (PositionRule::V096f3de, GMASK, true, [0, 1, 2, 3, 4, 5]),
            (PositionRule::V096f3de, GMASK, false, [0, 1, 2, 3, 4, 5]),
            (PositionRule::V096f3de, MASK, true, [0, 1, 2, 1, 1, 1]),
            (PositionRule::V096f3de, MASK, false, [0, 1, 2, 1, 1, 1]),
            (PositionRule::Main, GMASK, true, [0, 1, 2, 2, 2, 2]),
            (PositionRule::Main, GMASK, false, [0, 1, 2, 3, 4, 5]),
            (PositionRule::Main, MASK, true, [0, 1, 2, 1, 1, 1]),
            (PositionRule::Main, MASK, false, [0, 1, 2, 1, 1, 1]),
        ] {
            let ids = position_ids(rule, &ids, SPECIAL, two_rows).unwrap();

            assert_eq!(ids.rows()[0], wanted, "{rule:?}, two rows: {two_rows}");
            assert_eq!(ids.rows().len(), if two_rows { 2 } else { 1 });
        }
    }

    #[test]
    fn row_1_starts_at_sop() {
        let ids = position_ids(PositionRule::Main, &GMASK, SPECIAL, true).unwrap();

        assert_eq!(ids.rows()[1], [0, 0, 0, 1, 2, 3]);
    }

    #[test]
    fn generated_tokens_stand_at_the_mask() {
        for rule in [PositionRule::V096f3de, PositionRule::Main] {
            let positions = GenerationPositions::new(rule, &GMASK[..4], SPECIAL, true).unwrap();

            assert_eq!(positions.generated(0), PositionIds::TwoRows([vec![2], vec![2]]));
            assert_eq!(positions.generated(5), PositionIds::TwoRows([vec![2], vec![7]]));
        }
    }

    #[test]
    fn only_generation_on_main_looks_for_gmask_first() {
        let both = [1, 90, 2, 91, 94];

        let generated =
            |rule| GenerationPositions::new(rule, &both, SPECIAL, true).unwrap().prompt();

        assert_eq!(generated(PositionRule::Main).rows()[0], [0, 1, 2, 3, 3]);
        assert_eq!(generated(PositionRule::V096f3de).rows()[0], [0, 1, 2, 3, 1]);
        assert_eq!(
            position_ids(PositionRule::Main, &both, SPECIAL, true).unwrap().rows()[0],
            [0, 1, 2, 3, 1]
        );
    }

    #[test]
    fn a_sequence_without_structure_is_an_error() {
        let no_sop = position_ids(PositionRule::Main, &[1, 91], SPECIAL, true);
        let no_mask = position_ids(PositionRule::Main, &[1, 94], SPECIAL, true);

        assert_eq!(no_sop, Err(SampleError::NoSuchSpecial("<sop>")));
        assert_eq!(no_mask, Err(SampleError::NoSuchSpecial("[MASK] or [gMASK]")));
    }

    #[test]
    fn json_is_the_list_that_python_prints() {
        let two = position_ids(PositionRule::Main, &[91, 94], SPECIAL, true).unwrap();
        let one = position_ids(PositionRule::Main, &[91, 94], SPECIAL, false).unwrap();

        assert_eq!(serde_json::to_string(&two).unwrap(), "[[0,0],[0,1]]");
        assert_eq!(serde_json::to_string(&one).unwrap(), "[0,1]");
        assert_eq!(serde_json::from_str::<PositionIds>("[0,1]").unwrap(), one);
    }
}
