//! A published vocabulary file: SentencePiece's `ModelProto`, read and written.
//!
//! Field numbers are those of `sentencepiece_model.proto` (SentencePiece 0.2). What Weft does not use is kept as it
//! was, so that a file that is read and written again is the same file.

use super::TokenizerError;
use super::protobuf::{Fields, Value, put_bytes, put_float, put_varint};

/// A vocabulary as its file holds it; text is borrowed from the file's bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SentencePieceModel<'a> {
    /// In the order of their ids.
    pub pieces: Vec<Piece<'a>>,
    pub trainer: TrainerSpec<'a>,
    pub normalizer: NormalizerSpec<'a>,
}

/// One entry of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece<'a> {
    pub text: &'a str,
    /// Log probability, natural logarithm.
    pub score: f32,
    pub kind: PieceKind,
}

/// What a piece is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum PieceKind {
    #[default]
    Normal = 1,
    /// Stands for any text that no other piece covers.
    Unknown = 2,
    /// Structure of a sequence; text never becomes one.
    Control = 3,
    /// Always one token where it stands in the text, and never normalized.
    UserDefined = 4,
    Unused = 5,
    /// One byte of a character that no piece covers.
    Byte = 6,
}

impl PieceKind {
    pub(super) fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }
}

/// The settings of the training run that also govern tokenizing.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainerSpec<'a> {
    /// A character without a piece becomes its UTF-8 bytes.
    pub byte_fallback: bool,
    /// The `▁` of a space ends the word before it instead of starting the word after it.
    pub whitespace_as_suffix: bool,
    /// What an unknown piece decodes to.
    pub unk_surface: &'a str,
    /// The other fields: number, and the field as it was encoded.
    pub rest: Vec<(u32, &'a [u8])>,
}

impl Default for TrainerSpec<'_> {
    fn default() -> Self {
        Self {
            byte_fallback: false,
            whitespace_as_suffix: false,
            unk_surface: " \u{2047} ",
            rest: Vec::new(),
        }
    }
}

/// How text is rewritten before it is segmented.
#[derive(Clone, Debug, PartialEq)]
pub struct NormalizerSpec<'a> {
    /// What the rules are called, for example `nmt_nfkc`.
    pub name: &'a str,
    /// The rules: a double-array trie and the strings it points to. Empty for none.
    pub precompiled_charsmap: &'a [u8],
    pub add_dummy_prefix: bool,
    pub remove_extra_whitespaces: bool,
    pub escape_whitespaces: bool,
}

impl Default for NormalizerSpec<'_> {
    fn default() -> Self {
        Self {
            name: "",
            precompiled_charsmap: &[],
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
        }
    }
}

impl<'a> SentencePieceModel<'a> {
    /// Reads a `.model` file.
    pub fn read(bytes: &'a [u8]) -> Result<Self, TokenizerError> {
        let model = Self::read_settings(bytes)?;
        if model.pieces.is_empty() { Err(TokenizerError::NoPieces) } else { Ok(model) }
    }

    /// Reads a file that may be without pieces.
    pub(super) fn read_settings(bytes: &'a [u8]) -> Result<Self, TokenizerError> {
        let mut model = Self::default();
        let mut fields = Fields::new(bytes, 0);
        while let Some((number, value)) = fields.next()? {
            let start = |bytes: &[u8]| fields.position() - bytes.len();
            match (number, value) {
                (1, Value::Bytes(bytes)) => {
                    let id = model.pieces.len();
                    model.pieces.push(read_piece(bytes, start(bytes), id)?);
                }
                (2, Value::Bytes(bytes)) => model.trainer = read_trainer(bytes, start(bytes))?,
                (3, Value::Bytes(bytes)) => {
                    model.normalizer = read_normalizer(bytes, start(bytes))?;
                }
                (5, Value::Bytes(bytes)) => {
                    let rules = read_normalizer(bytes, start(bytes))?.precompiled_charsmap;
                    if !rules.is_empty() {
                        return Err(TokenizerError::Denormalizer);
                    }
                }
                (1 | 2 | 3 | 5, value) => {
                    return Err(TokenizerError::Damaged {
                        wanted: "a message",
                        at: fields.position(),
                        found: value.name().into(),
                    });
                }
                _ => {}
            }
        }
        Ok(model)
    }

    /// The bytes of the `.model` file.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.pieces.len() * 24);
        let mut message = Vec::new();
        for piece in &self.pieces {
            message.clear();
            put_bytes(&mut message, 1, piece.text.as_bytes());
            put_float(&mut message, 2, piece.score);
            put_varint(&mut message, 3, piece.kind as u64);
            put_bytes(&mut out, 1, &message);
        }
        put_bytes(&mut out, 2, &write_trainer(&self.trainer));
        put_bytes(&mut out, 3, &write_normalizer(&self.normalizer));
        out
    }
}

fn read_piece(bytes: &[u8], start: usize, id: usize) -> Result<Piece<'_>, TokenizerError> {
    let mut piece = Piece { text: "", score: 0.0, kind: PieceKind::Normal };
    let mut fields = Fields::new(bytes, start);
    while let Some((number, value)) = fields.next()? {
        let field = match number {
            1 => value.text().map(|text| piece.text = text).ok_or("text in UTF-8"),
            2 => value.float().map(|score| piece.score = score).ok_or("a 32-bit score"),
            3 => value
                .varint()
                .and_then(PieceKind::from_number)
                .map(|kind| piece.kind = kind)
                .ok_or("a type from 1 to 6"),
            _ => Ok(()),
        };
        field.map_err(|wanted| TokenizerError::Piece {
            id,
            wanted,
            found: format!("{value:?}"),
        })?;
    }
    Ok(piece)
}

/// A field of the wrong wire type is left aside, as protobuf does.
fn read_trainer(bytes: &[u8], start: usize) -> Result<TrainerSpec<'_>, TokenizerError> {
    let mut spec = TrainerSpec::default();
    let mut fields = Fields::new(bytes, start);
    loop {
        let before = fields.position() - start;
        let Some((number, value)) = fields.next()? else { return Ok(spec) };
        match (number, value) {
            (3, Value::Varint(kind)) if kind != 1 => {
                let name = match kind {
                    2 => "BPE".into(),
                    3 => "whole words".into(),
                    4 => "characters".into(),
                    _ => format!("model type {kind}"),
                };
                return Err(TokenizerError::NotUnigram(name));
            }
            (24, Value::Varint(flag)) => spec.whitespace_as_suffix = flag != 0,
            (35, Value::Varint(flag)) => spec.byte_fallback = flag != 0,
            (44, Value::Bytes(surface)) => {
                spec.unk_surface =
                    std::str::from_utf8(surface).map_err(|error| TokenizerError::Damaged {
                        wanted: "the text of the unknown piece in UTF-8",
                        at: start + before,
                        found: error.to_string(),
                    })?;
            }
            _ => spec.rest.push((number, &bytes[before..fields.position() - start])),
        }
    }
}

fn write_trainer(spec: &TrainerSpec<'_>) -> Vec<u8> {
    let default = TrainerSpec::default();
    let mut fields: Vec<(u32, Vec<u8>)> =
        spec.rest.iter().map(|(number, field)| (*number, field.to_vec())).collect();
    let mut put = |number, write: &dyn Fn(&mut Vec<u8>)| {
        let mut field = Vec::new();
        write(&mut field);
        fields.push((number, field));
    };
    if spec.whitespace_as_suffix {
        put(24, &|field| put_varint(field, 24, 1));
    }
    if spec.byte_fallback {
        put(35, &|field| put_varint(field, 35, 1));
    }
    if spec.unk_surface != default.unk_surface {
        put(44, &|field| put_bytes(field, 44, spec.unk_surface.as_bytes()));
    }
    // Protocol Buffers writes fields by number, and so do the published files.
    fields.sort_by_key(|(number, _)| *number);
    fields.into_iter().flat_map(|(_, field)| field).collect()
}

fn read_normalizer(bytes: &[u8], start: usize) -> Result<NormalizerSpec<'_>, TokenizerError> {
    let mut spec = NormalizerSpec::default();
    let mut fields = Fields::new(bytes, start);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => spec.name = value.text().unwrap_or_default(),
            2 => spec.precompiled_charsmap = value.bytes().unwrap_or_default(),
            3 => spec.add_dummy_prefix = value.flag().unwrap_or(true),
            4 => spec.remove_extra_whitespaces = value.flag().unwrap_or(true),
            5 => spec.escape_whitespaces = value.flag().unwrap_or(true),
            _ => {}
        }
    }
    Ok(spec)
}

fn write_normalizer(spec: &NormalizerSpec<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(spec.precompiled_charsmap.len() + 32);
    if !spec.name.is_empty() {
        put_bytes(&mut out, 1, spec.name.as_bytes());
    }
    if !spec.precompiled_charsmap.is_empty() {
        put_bytes(&mut out, 2, spec.precompiled_charsmap);
    }
    for (number, flag) in [
        (3, spec.add_dummy_prefix),
        (4, spec.remove_extra_whitespaces),
        (5, spec.escape_whitespaces),
    ] {
        if !flag {
            put_varint(&mut out, number, 0);
        }
    }
    out
}
