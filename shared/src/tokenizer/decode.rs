//! Ids to text.
//!
//! As `SentencePieceProcessor::Decode` of SentencePiece 0.2, then `SPTokenizer.postprocess`, then, in `main` alone,
//! `PreTrainedTokenizerBase.clean_up_tokenization` of transformers.

use super::core::{Core, LeadingSpace};
use super::layout::Revision;
use super::normalizer::SPACE_SYMBOL;
use super::sentencepiece::PieceKind;
use super::whitespace;

/// What a byte that is no part of a character becomes.
const REPLACEMENT: &str = "\u{fffd}";

impl Core {
    /// The text of `ids`. Padding, ids of structure and ids that the vocabulary has not leave no trace.
    pub(super) fn decode(&self, ids: &[u32]) -> String {
        let mut pieces = PieceText::default();
        for &id in ids {
            pieces.push(self, id);
        }
        pieces.end_bytes();
        self.finished(whitespace::decode(&pieces.text))
    }

    /// The last step of decoding.
    pub(super) fn finished(&self, text: String) -> String {
        match self.revision {
            Revision::V096f3de => text,
            Revision::Main => tidied(text),
        }
    }
}

/// The text of pieces, with white space still by name.
#[derive(Clone, Debug, Default)]
pub(super) struct PieceText {
    /// What is complete; whoever reads it may take it away.
    pub(super) text: String,
    /// Bytes that may be the start of a character.
    bytes: Vec<u8>,
    /// Whether a space at the start of a piece is a space of the text.
    started: bool,
}

impl PieceText {
    /// Appends the piece of `id`.
    pub(super) fn push(&mut self, core: &Core, id: u32) {
        if id == core.special_ids.pad {
            return;
        }
        let Some(number) = id.checked_sub(core.vocabulary.image_tokens()) else {
            // `096f3de` drops image tokens before it decodes, `main` decodes names.
            if core.revision == Revision::Main {
                self.end_bytes();
                self.append(core.vocabulary.text(id).unwrap_or_default());
            }
            return;
        };
        let Some(piece) = core.vocabulary.get(number as usize) else { return };
        if piece.kind == PieceKind::Byte {
            self.bytes.extend(byte_of(piece.text));
            self.take_characters(false);
            return;
        }
        self.end_bytes();
        match piece.kind {
            PieceKind::Control => {}
            PieceKind::Unknown => self.append(&core.unknown_surface),
            _ => self.append_words(piece.text, core.leading_space),
        }
    }

    /// Ends a run of bytes: what is left of it is no character.
    pub(super) fn end_bytes(&mut self) {
        self.take_characters(true);
    }

    fn append(&mut self, text: &str) {
        self.started |= !text.is_empty();
        self.text.push_str(text);
    }

    fn append_words(&mut self, piece: &str, leading_space: LeadingSpace) {
        let mut words = piece;
        if !self.started && leading_space != LeadingSpace::Kept {
            words = piece.strip_prefix(SPACE_SYMBOL).unwrap_or(piece);
            self.started = leading_space == LeadingSpace::FirstGoes && words.len() < piece.len();
        }
        for (number, word) in words.split(SPACE_SYMBOL).enumerate() {
            if number > 0 {
                self.append(" ");
            }
            self.append(word);
        }
    }

    /// Moves the characters that the bytes spell into the text; a byte that spells none is replaced.
    fn take_characters(&mut self, ended: bool) {
        let mut at = 0;
        let bytes = std::mem::take(&mut self.bytes);
        while at < bytes.len() {
            let rest = &bytes[at..bytes.len().min(at + 4)];
            let (valid, wrong) = match std::str::from_utf8(rest) {
                Ok(text) => (text, None),
                Err(error) => {
                    let valid =
                        std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default();
                    (valid, Some(error.error_len()))
                }
            };
            if let Some(character) = valid.chars().next() {
                self.append(&valid[..character.len_utf8()]);
                at += character.len_utf8();
            } else if wrong == Some(None) && at + rest.len() == bytes.len() && !ended {
                break;
            } else {
                self.append(REPLACEMENT);
                at += 1;
            }
        }
        self.bytes.extend_from_slice(&bytes[at..]);
    }
}

/// The byte of a byte piece, `<0x41>` for example.
fn byte_of(piece: &str) -> Option<u8> {
    u8::from_str_radix(piece.strip_prefix("<0x")?.strip_suffix('>')?, 16).ok()
}

/// What [`tidied`] replaces, in this order.
const TIDIED: [(&str, &str); 10] = [
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
];

/// English text without the spaces that a word tokenizer leaves before punctuation.
fn tidied(text: String) -> String {
    TIDIED.into_iter().fold(
        text,
        |text, (from, to)| {
            if text.contains(from) { text.replace(from, to) } else { text }
        },
    )
}

/// How many bytes at the end of `text` [`tidied`] may still change, or join with what follows.
///
/// Everything it replaces starts with a space and holds only the characters below, so a change never reaches across
/// another character, nor across a space that stands between words.
pub(super) fn untidied(text: &str) -> usize {
    let mut held = None;
    let mut before = None;
    for (at, character) in text.char_indices() {
        let after = &text[at + character.len_utf8()..];
        if character == ' ' && !parts_words(before, after) {
            held.get_or_insert(at);
        } else if !matches!(
            character,
            '.' | '?' | '!' | ',' | '\'' | 'n' | 't' | 'm' | 's' | 'v' | 'r' | 'e'
        ) {
            held = None;
        }
        before = Some(character);
    }
    held.map_or(0, |at| text.len() - at)
}

/// Whether a space between `before` and `after` stays whatever else changes.
fn parts_words(before: Option<char>, after: &str) -> bool {
    let mut after = after.chars();
    !matches!(before, Some(' ' | '\''))
        && match after.next() {
            None | Some(' ' | '.' | '?' | '!' | ',' | '\'') => false,
            Some('n') => after.next().is_some_and(|second| !matches!(second, ' ' | '\'')),
            Some(_) => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_before_punctuation_go() {
        assert_eq!(tidied("it 's fine , is n't it ?".into()), "it's fine, isn't it?");
    }

    #[test]
    fn a_space_is_held_until_it_is_clear_what_follows() {
        assert_eq!(untidied("two words"), 0);
        assert_eq!(untidied("a sentence ."), 2);
        assert_eq!(untidied("is "), 1);
        assert_eq!(untidied("is n"), 2);
        assert_eq!(untidied("is no"), 0);
        assert_eq!(untidied("x  ' ve"), 6);
    }
}
