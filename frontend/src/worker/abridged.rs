//! Which tokens of a long pair are told one by one: a page that draws them all would be slow, and nobody reads them.

use weft_shared::sample::{Part, SourcedToken};

/// Of those that truncation cut, as many are shown next to the cut.
const CUT_SHOWN: usize = 40;

/// The first `detailed` tokens of the sample, and of those that were cut the ones next to a kept one.
pub(super) fn abridged(tokens: Vec<SourcedToken>, detailed: usize) -> Vec<SourcedToken> {
    let is_kept = |token: &SourcedToken| token.place.is_some();
    if !tokens.iter().any(is_kept) {
        return tokens.into_iter().take(detailed).collect();
    }
    let mut shown: Vec<SourcedToken> = Vec::new();
    let mut kept = 0;
    for run in tokens.chunk_by(|a, b| is_kept(a) == is_kept(b)) {
        if kept == detailed {
            break;
        }
        let is_behind_the_cut =
            shown.last().is_some_and(|it| !matches!(it.part, Part::Separator | Part::Opening));
        let run = if is_kept(&run[0]) {
            let run = &run[..run.len().min(detailed - kept)];
            kept += run.len();
            run
        } else if is_behind_the_cut {
            &run[..run.len().min(CUT_SHOWN)]
        } else {
            &run[run.len().saturating_sub(CUT_SHOWN)..]
        };
        shown.extend_from_slice(run);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_is_shown_next_to_the_cut() {
        let cut_behind = [tokens(Part::Question, 3, 0), tokens(Part::Question, 0, 100)].concat();
        let cut_before =
            [tokens(Part::Opening, 2, 0), tokens(Part::Answer, 0, 100), tokens(Part::Answer, 3, 0)]
                .concat();

        let behind = abridged(cut_behind, 500);
        let before = abridged(cut_before, 500);

        assert_eq!((behind.len(), behind[3].start, behind[42].start), (43, 0, 39));
        assert_eq!((before.len(), before[2].start, before[41].start), (45, 60, 99));
    }

    #[test]
    fn of_the_sample_the_first_are_shown() {
        let whole = [
            tokens(Part::Question, 5, 0),
            tokens(Part::Question, 0, 2),
            tokens(Part::Answer, 5, 0),
        ]
        .concat();

        assert_eq!(abridged(whole.clone(), 7).len(), 9);
        assert_eq!(abridged(whole, 5).len(), 5);
    }

    #[test]
    fn a_pair_without_a_sample_shows_its_beginning() {
        assert_eq!(abridged(tokens(Part::Answer, 0, 9), 4).len(), 4);
    }

    fn tokens(part: Part, kept: usize, cut: usize) -> Vec<SourcedToken> {
        let token = |start, place| SourcedToken {
            id: 7,
            piece: "a".into(),
            start,
            end: start + 1,
            part,
            span: None,
            place,
        };
        let kept = (0..kept).map(|at| token(at, Some(at)));
        kept.chain((0..cut).map(|at| token(at, None))).collect()
    }
}
