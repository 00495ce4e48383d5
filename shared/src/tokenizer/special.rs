//! Special tokens that stand in the text by name: the text is split there before anything else.
//!
//! As `PreTrainedTokenizer.tokenize` of transformers 4.27: a special token takes the white space on both its sides.

use std::ops::Range;

/// Part of a text: bytes of it, and the id where it is a special token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) range: Range<usize>,
    pub(super) special: Option<u32>,
}

/// Names that split a text.
#[derive(Clone, Debug)]
pub(super) struct SpecialTokens {
    /// Longest first, so that the longest of several names at one place is found.
    names: Vec<(String, u32)>,
    /// Bytes that a name starts with.
    first_bytes: [bool; 256],
}

impl SpecialTokens {
    pub(super) fn new(names: impl IntoIterator<Item = (String, u32)>) -> Self {
        let mut names: Vec<_> = names.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        names.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        names.dedup();
        let mut first_bytes = [false; 256];
        for byte in names.iter().filter_map(|(name, _)| name.bytes().next()) {
            first_bytes[usize::from(byte)] = true;
        }
        Self { names, first_bytes }
    }

    /// The parts of `text` in order; what lies between two of them is white space.
    pub(super) fn split(&self, text: &str) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut start = 0;
        let mut after_special = false;
        while let Some((found, id)) = self.find(text, start) {
            let between = trimmed(text, start..found.start, after_special, true);
            segments.extend(plain(between));
            start = found.end;
            segments.push(Segment { range: found, special: Some(id) });
            after_special = true;
        }
        segments.extend(plain(trimmed(text, start..text.len(), after_special, false)));
        segments
    }

    /// The parts of `text` with their white space, so that they follow each other without gaps.
    pub(super) fn split_all(&self, text: &str) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut start = 0;
        while let Some((found, id)) = self.find(text, start) {
            segments.extend(plain(start..found.start));
            start = found.end;
            segments.push(Segment { range: found, special: Some(id) });
        }
        segments.extend(plain(start..text.len()));
        segments
    }

    /// The first special token from byte `start` on.
    fn find(&self, text: &str, start: usize) -> Option<(Range<usize>, u32)> {
        let bytes = text.as_bytes();
        let may_start = |at: &usize| self.first_bytes[usize::from(bytes[*at])];
        (start..bytes.len()).filter(may_start).find_map(|at| {
            let found = |(name, _): &&(String, u32)| bytes[at..].starts_with(name.as_bytes());
            let (name, id) = self.names.iter().find(found)?;
            Some((at..at + name.len(), *id))
        })
    }
}

fn plain(range: Range<usize>) -> Option<Segment> {
    (!range.is_empty()).then_some(Segment { range, special: None })
}

/// `range` of the text without the white space at its start, its end, or both.
fn trimmed(text: &str, range: Range<usize>, at_start: bool, at_end: bool) -> Range<usize> {
    let mut start = range.start;
    let mut part = &text[range];
    if at_start {
        start += part.len() - part.trim_start_matches(is_python_space).len();
        part = part.trim_start_matches(is_python_space);
    }
    if at_end {
        part = part.trim_end_matches(is_python_space);
    }
    start..start + part.len()
}

/// Whether Python's `str.strip` and `str.split` take `character` for white space.
pub(super) fn is_python_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        let names = [("<sop>".to_owned(), 4), ("[MASK]".to_owned(), 0)];
        SpecialTokens::new(names)
            .split(text)
            .into_iter()
            .map(|segment| &text[segment.range])
            .collect()
    }

    #[test]
    fn a_special_token_takes_the_white_space_around_it() {
        assert_eq!(parts(" a \n[MASK]\u{1c} b "), [" a", "[MASK]", "b "]);
        assert_eq!(parts("  [MASK] <sop>  "), ["[MASK]", "<sop>"]);
        assert_eq!(parts(" no special token "), [" no special token "]);
        assert_eq!(parts(""), [""; 0]);
    }

    #[test]
    fn only_a_whole_name_is_a_special_token() {
        assert_eq!(parts("[MA[MASK]SK] <sop"), ["[MA", "[MASK]", "SK] <sop"]);
    }
}
