//! A vocabulary of one's own in the published form: the layout of revision `main`, with any words.
//!
//! | ids           | pieces                                                                       |
//! | ------------- | ---------------------------------------------------------------------------- |
//! | 0 to 4        | `<unk>` `<s>` `</s>` `<pad>` `<n>`, as in every published vocabulary         |
//! | 5 on          | the words, of which the first must be `▁`                                    |
//! | then 256      | one piece for each byte, for everything else                                 |
//! | then 8        | `[MASK]` `[gMASK]` `[sMASK]` `<unused_0>` `<sop>` `<eop>` `<ENC>` `<dBLOCK>` |
//! | the rest      | `<|tab|>`, `<|blank_2|>` and on                                              |
//!
//! Longer runs of spaces than the longest with a piece become bytes.

use super::layout::byte_name;
use super::sentencepiece::{NormalizerSpec, Piece, PieceKind, SentencePieceModel, TrainerSpec};
use super::whitespace::{TAB, blank};

const RESERVED: [(&str, PieceKind); 5] = [
    ("<unk>", PieceKind::Unknown),
    ("<s>", PieceKind::Control),
    ("</s>", PieceKind::Control),
    ("<pad>", PieceKind::Control),
    ("<n>", PieceKind::UserDefined),
];

const SPECIAL: [&str; 8] =
    ["[MASK]", "[gMASK]", "[sMASK]", "<unused_0>", "<sop>", "<eop>", "<ENC>", "<dBLOCK>"];

/// What a vocabulary is made of, apart from the pieces that every one has.
#[derive(Clone, Debug)]
pub struct MadeVocabulary<'a> {
    /// What its rules of normalizing are called.
    pub name: &'a str,
    /// Words and their log probabilities, `▁` first.
    pub words: &'a [(String, f32)],
    /// Rules of normalizing, as [`compile_charsmap`](super::compile_charsmap) gives them.
    pub charsmap: &'a [u8],
    /// The longest run of spaces with a piece of its own.
    pub longest_blank: usize,
}

impl MadeVocabulary<'_> {
    /// The bytes of the `.model` file.
    pub fn write(&self) -> Vec<u8> {
        let own = |text: &str, kind| (text.to_owned(), 0.0, kind);
        let reserved = RESERVED.iter().map(|&(text, kind)| own(text, kind));
        let words =
            self.words.iter().map(|(text, score)| (text.clone(), *score, PieceKind::Normal));
        let bytes = (0..=u8::MAX).map(|byte| own(&byte_name(byte), PieceKind::Byte));
        let special = SPECIAL.iter().map(|name| own(name, PieceKind::Control));
        let blanks = std::iter::once(TAB.to_owned()).chain((2..=self.longest_blank).map(blank));
        let blanks = blanks.map(|name| own(&name, PieceKind::UserDefined));
        let pieces: Vec<_> =
            reserved.chain(words).chain(bytes).chain(special).chain(blanks).collect();

        let pieces =
            pieces.iter().map(|(text, score, kind)| Piece { text, score: *score, kind: *kind });
        let model = SentencePieceModel {
            pieces: pieces.collect(),
            trainer: TrainerSpec { byte_fallback: true, ..TrainerSpec::default() },
            normalizer: NormalizerSpec {
                name: self.name,
                precompiled_charsmap: self.charsmap,
                ..NormalizerSpec::default()
            },
        };
        model.write()
    }
}
