//! Pieces and their ids, both ways.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::TokenizerError;
use super::sentencepiece::{Piece, PieceKind};

/// The longest piece that SentencePiece accepts, in bytes.
const LONGEST_PIECE: usize = 8000;

/// The pieces of a vocabulary, with the image tokens that its ids leave room for.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// All pieces, one behind the other.
    text: String,
    /// Where in `text` each piece ends.
    ends: Vec<u32>,
    scores: Vec<f32>,
    kinds: Vec<PieceKind>,
    /// Ids of the pieces that text never becomes.
    reserved: HashMap<String, u32>,
    /// How many ids come before the first piece.
    image_tokens: u32,
    /// Names of the image tokens, made when first asked for.
    image_names: OnceLock<Vec<String>>,
}

impl Vocabulary {
    /// A vocabulary of `pieces`, whose ids start behind `image_tokens` image tokens.
    pub(super) fn new<'a>(
        pieces: impl Iterator<Item = Piece<'a>>,
        image_tokens: u32,
    ) -> Result<Self, TokenizerError> {
        let mut vocabulary = Self {
            text: String::new(),
            ends: Vec::new(),
            scores: Vec::new(),
            kinds: Vec::new(),
            reserved: HashMap::new(),
            image_tokens,
            image_names: OnceLock::new(),
        };
        for (id, piece) in pieces.enumerate() {
            let wrong = |wanted, found: String| TokenizerError::Piece { id, wanted, found };
            match piece.text.len() {
                0 => return Err(wrong("a text", "none".into())),
                length if length >= LONGEST_PIECE => {
                    return Err(wrong("fewer than 8000 bytes", format!("{length} bytes")));
                }
                _ if piece.text.contains('\0') => {
                    return Err(wrong("no zero byte", format!("{:?}", piece.text)));
                }
                _ if !piece.score.is_finite() => {
                    return Err(wrong("a finite score", piece.score.to_string()));
                }
                _ => {}
            }
            vocabulary.text.push_str(piece.text);
            let Ok(end) = u32::try_from(vocabulary.text.len()) else {
                return Err(wrong(
                    "less than 4 GiB of pieces",
                    format!("{} bytes", vocabulary.text.len()),
                ));
            };
            vocabulary.ends.push(end);
            vocabulary.scores.push(piece.score);
            vocabulary.kinds.push(piece.kind);
            if !in_text(piece.kind)
                && let Some(other) = vocabulary.reserved.insert(piece.text.to_owned(), id as u32)
            {
                return Err(wrong(
                    "a text of its own",
                    format!("{:?}, as piece {other}", piece.text),
                ));
            }
        }
        Ok(vocabulary)
    }

    /// How many pieces there are, image tokens aside.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn image_tokens(&self) -> u32 {
        self.image_tokens
    }

    /// The piece of number `index`, counted without image tokens.
    pub(super) fn get(&self, index: usize) -> Option<Piece<'_>> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(Piece {
            text: &self.text[start..end],
            score: self.scores[index],
            kind: self.kinds[index],
        })
    }

    /// All pieces, in the order of their ids.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The piece or image token of `id`.
    pub(super) fn text(&self, id: u32) -> Option<&str> {
        match id.checked_sub(self.image_tokens) {
            Some(index) => self.get(index as usize).map(|piece| piece.text),
            None => self.image_names().get(id as usize).map(String::as_str),
        }
    }

    /// Number of the reserved piece `text`: a control, unknown, unused or byte piece.
    pub(super) fn reserved(&self, text: &str) -> Option<u32> {
        self.reserved.get(text).copied()
    }

    /// Id of the image token `text`, `<image_0>` and so on.
    pub(super) fn image_id(&self, text: &str) -> Option<u32> {
        let number = text.strip_prefix("<image_")?.strip_suffix('>')?;
        let id = number.parse().ok().filter(|id| *id < self.image_tokens)?;
        (image_name(id) == text).then_some(id)
    }

    fn image_names(&self) -> &[String] {
        self.image_names.get_or_init(|| (0..self.image_tokens).map(image_name).collect())
    }
}

fn image_name(id: u32) -> String {
    format!("<image_{id}>")
}

/// Whether text can become a piece of this kind.
pub(super) fn in_text(kind: PieceKind) -> bool {
    matches!(kind, PieceKind::Normal | PieceKind::UserDefined)
}
