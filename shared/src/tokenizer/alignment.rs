//! Lets a string of the `tokenizers` crate remember where its characters came from, exactly.

use tokenizers::NormalizedString;

use super::sink::Aligned;

/// Makes `target` the text of `aligned`, whose starts are bytes of what `target` was before.
///
/// `NormalizedString::transform` cannot say that several new characters stand for several old ones. So the first pass
/// keeps, of the old characters, those at which something new starts, and the second puts the new ones in their places.
pub(super) fn realign(target: &mut NormalizedString, aligned: &Aligned) {
    let old = target.get().to_owned();
    let mut kept = Vec::new();
    let mut removed_first = 0;
    let mut starts = aligned.starts.iter().copied().peekable();
    for (at, character) in old.char_indices() {
        if starts.peek() == Some(&at) {
            kept.push((character, 0));
            while starts.next_if_eq(&at).is_some() {}
        } else if let Some((_, change)) = kept.last_mut() {
            *change -= 1;
        } else {
            removed_first += 1;
        }
    }
    target.transform(kept, removed_first);

    let mut before = None;
    let new: Vec<_> = aligned
        .text
        .chars()
        .zip(&aligned.starts)
        .map(|(character, start)| {
            let inserted = before.replace(start) == Some(start);
            (character, isize::from(inserted))
        })
        .collect();
    target.transform(new, 0);
}

/// Offsets that tile a text of `length` bytes, from where each token starts.
///
/// A token reaches to the start of the next one, so text that leaves no trace belongs to the token before it, or to
/// the first. Of several tokens that start at one place (the bytes of a character, the pieces of `㍿`) the last has the
/// text and the others are empty, as in SentencePiece.
pub(super) fn tile(
    starts: impl ExactSizeIterator<Item = usize>,
    length: usize,
) -> Vec<(usize, usize)> {
    let mut offsets: Vec<(usize, usize)> = Vec::with_capacity(starts.len());
    for (number, start) in starts.enumerate() {
        let start = if number == 0 { 0 } else { start.min(length) };
        if let Some(before) = offsets.last_mut() {
            before.1 = start;
        }
        offsets.push((start, length));
    }
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::normalizer::Range;

    #[test]
    fn several_characters_can_stand_for_several() {
        let mut string = NormalizedString::from("xe\u{301}y");
        realign(&mut string, &Aligned { text: "ABCy".into(), starts: vec![1, 1, 1, 4] });

        assert_eq!(string.get(), "ABCy");
        let source = |range| string.convert_offsets(Range::Normalized(range)).unwrap().start;
        assert_eq!([0..1, 1..2, 2..3, 3..4].map(source), [1, 1, 1, 4]);
    }

    #[test]
    fn a_text_may_leave_no_trace() {
        let mut string = NormalizedString::from("\u{1}\u{2}");
        realign(&mut string, &Aligned::default());

        assert_eq!(string.get(), "");
    }

    #[test]
    fn tokens_reach_to_the_next_one() {
        assert_eq!(tile([1, 3, 3, 6].into_iter(), 9), [(0, 3), (3, 3), (3, 6), (6, 9)]);
        assert_eq!(tile([].into_iter(), 9), []);
    }
}
