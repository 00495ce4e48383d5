//! Ids to text, one id at a time.

use super::core::Core;
use super::decode::{PieceText, untidied};
use super::layout::Revision;
use super::whitespace;

/// Decodes ids as they come, and gives text only when later ids cannot change it.
///
/// All that [`push`](Self::push) and [`finish`](Self::finish) return, one behind the other, is what decoding all ids at
/// once gives: no half characters, no half names of white space.
#[derive(Clone, Debug)]
pub struct DecodeStream<'a> {
    core: &'a Core,
    pieces: PieceText,
    /// Text that a space may still be taken from.
    waiting: String,
}

impl<'a> DecodeStream<'a> {
    pub(super) fn new(core: &'a Core) -> Self {
        Self { core, pieces: PieceText::default(), waiting: String::new() }
    }

    /// Takes the next id; returns the text that is now certain, if there is any.
    pub fn push(&mut self, id: u32) -> Option<String> {
        self.pieces.push(self.core, id);
        let named = self.pieces.text.len() - whitespace::unfinished(&self.pieces.text);
        self.take(named);
        let certain = match self.core.revision {
            Revision::V096f3de => self.waiting.len(),
            Revision::Main => self.waiting.len() - untidied(&self.waiting),
        };
        let rest = self.waiting.split_off(certain);
        let text = self.core.finished(std::mem::replace(&mut self.waiting, rest));
        (!text.is_empty()).then_some(text)
    }

    /// The text that was still waiting; the stream is then as new.
    pub fn finish(&mut self) -> Option<String> {
        self.pieces.end_bytes();
        self.take(self.pieces.text.len());
        let text = self.core.finished(std::mem::take(&mut self.waiting));
        self.pieces = PieceText::default();
        (!text.is_empty()).then_some(text)
    }

    /// Moves `length` bytes of piece text on, with white space in place of its names.
    fn take(&mut self, length: usize) {
        let rest = self.pieces.text.split_off(length);
        let named = std::mem::replace(&mut self.pieces.text, rest);
        self.waiting.push_str(&whitespace::decode(&named));
    }
}
