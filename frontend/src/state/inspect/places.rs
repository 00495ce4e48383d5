//! Where a text field's caret is among the tokens.

use weft_shared::sample::Part;

use crate::state::chip::Chip;

/// The byte of a text at which the browser, which counts UTF-16 units, has its caret.
pub fn byte_of_utf16(text: &str, unit: usize) -> usize {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units >= unit {
            return at;
        }
        units += character.len_utf16();
    }
    text.len()
}

/// The chip whose text has the byte `at` of what a person wrote; at the text's end the last one.
pub fn chip_at(chips: &[Chip], origin: Part, at: usize) -> Option<usize> {
    let of_text = chips.iter().filter(|chip| chip.origin == origin && chip.span.is_some());
    let reaches = |chip: &&Chip| chip.span.is_some_and(|(start, _)| start <= at);
    let last = of_text.take_while(reaches).last()?;
    // Of several with the same part of the text, the first.
    chips.iter().find(|chip| chip.origin == origin && chip.span == last.span).map(|it| it.index)
}

#[cfg(test)]
mod tests {
    use weft_shared::{pair::Pair, sample::SourcedToken};

    use super::*;
    use crate::{state::chip::chips, worker::Sampled};

    #[test]
    fn a_character_may_be_two_units_of_a_browser() {
        let text = "a🧵b";

        assert_eq!([0, 1, 3, 4].map(|unit| byte_of_utf16(text, unit)), [0, 1, 5, 6]);
    }

    #[test]
    fn the_caret_is_in_a_token() {
        let spans = [("▁", 0, 0), ("你好", 0, 6), ("<0xF0>", 6, 6), ("<0x9F>", 6, 10)];
        let tokens = spans.map(|(piece, start, end)| SourcedToken {
            id: 7,
            piece: piece.into(),
            start,
            end,
            part: Part::Question,
            span: Some((start, end)),
            place: None,
        });
        let text = "你好🧵".to_owned();
        let empty = Sampled::empty(1, Pair::default());
        let chips = chips(&Sampled { text, tokens: tokens.to_vec(), ..empty });

        let at = |byte| chip_at(&chips, Part::Question, byte);
        assert_eq!([at(0), at(3), at(6), at(10)], [Some(1), Some(1), Some(2), Some(2)]);
        assert_eq!(chip_at(&chips, Part::Answer, 0), None);
    }
}
