//! Weft's own form of a vocabulary: its parts side by side, so that reading them is copying them.
//!
//! Eight bytes that name the form and its version, a checksum of all that follows, then each part with its length in
//! front: configuration, settings (the published file without pieces), and of all pieces their lengths, kinds, scores
//! and texts. Numbers are little-endian.

use super::TokenizerError;
use super::layout::Config;
use super::sentencepiece::{Piece, PieceKind, SentencePieceModel};

/// Names the form; the last byte is its version. No published file starts so.
const MAGIC: &[u8; 8] = b"WEFTTOK\x01";

/// Whether `bytes` claim to be in this form.
pub(super) fn is_serialized(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC[..7])
}

/// The bytes of a vocabulary and its configuration.
pub(super) fn write(model: &SentencePieceModel<'_>, config: &Config) -> Vec<u8> {
    let pieces = &model.pieces;
    let settings = SentencePieceModel { pieces: Vec::new(), ..model.clone() }.write();
    // A configuration is plain strings and numbers, which JSON can always say.
    let config = serde_json::to_vec(config).unwrap_or_default();
    let mut body = Vec::with_capacity(settings.len() + pieces.len() * 20);
    put(&mut body, config);
    put(&mut body, settings);
    put(&mut body, pieces.iter().flat_map(|piece| (piece.text.len() as u16).to_le_bytes()));
    put(&mut body, pieces.iter().map(|piece| piece.kind as u8));
    put(&mut body, pieces.iter().flat_map(|piece| piece.score.to_le_bytes()));
    put(&mut body, pieces.iter().flat_map(|piece| piece.text.bytes()));
    [MAGIC.as_slice(), &checksum(&body).to_le_bytes(), &body].concat()
}

/// Reads what [`write`] wrote.
pub(super) fn read(bytes: &[u8]) -> Result<(SentencePieceModel<'_>, Config), TokenizerError> {
    let mut parts = Parts { bytes, at: 0 };
    let magic = parts.take(8, "the name and version of the form")?;
    if magic != MAGIC {
        let found = format!("version {}", magic[7]);
        return Err(TokenizerError::Damaged { wanted: "version 1 of the form", at: 7, found });
    }
    let sum = parts.array::<8>("a checksum")?;
    if checksum(&bytes[parts.at..]) != u64::from_le_bytes(sum) {
        let found = "other bytes, changed or cut off".into();
        return Err(TokenizerError::Damaged {
            wanted: "the bytes that were written",
            at: 8,
            found,
        });
    }
    let config = Config::read(parts.part("a configuration")?)?;
    let mut model = SentencePieceModel::read_settings(parts.part("settings")?)?;
    let lengths = parts.part("lengths of pieces")?.as_chunks::<2>().0;
    let kinds = parts.part("kinds of pieces")?;
    let scores = parts.part("scores of pieces")?.as_chunks::<4>().0;
    let text_at = parts.at;
    let mut rest = parts.text("texts of pieces")?;
    model.pieces.reserve(lengths.len());
    for ((length, kind), score) in lengths.iter().zip(kinds).zip(scores) {
        let length = usize::from(u16::from_le_bytes(*length));
        let (Some((text, after)), Some(kind)) =
            (rest.split_at_checked(length), PieceKind::from_number(u64::from(*kind)))
        else {
            let found = format!("length {length}, kind {kind}");
            return Err(TokenizerError::Damaged { wanted: "a piece", at: text_at, found });
        };
        rest = after;
        model.pieces.push(Piece { text, score: f32::from_le_bytes(*score), kind });
    }
    if model.pieces.is_empty() { Err(TokenizerError::NoPieces) } else { Ok((model, config)) }
}

fn put(out: &mut Vec<u8>, part: impl IntoIterator<Item = u8>) {
    let start = out.len();
    out.extend([0; 4]);
    out.extend(part);
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

struct Parts<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Parts<'a> {
    fn take(&mut self, length: usize, wanted: &'static str) -> Result<&'a [u8], TokenizerError> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..length) else {
            let found = format!("{} of {length} bytes", rest.len());
            return Err(TokenizerError::Damaged { wanted, at: self.at, found });
        };
        self.at += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, wanted: &'static str) -> Result<[u8; N], TokenizerError> {
        let at = self.at;
        let taken = self.take(N, wanted)?;
        let found = || format!("{} bytes", taken.len());
        taken.try_into().map_err(|_| TokenizerError::Damaged { wanted, at, found: found() })
    }

    fn part(&mut self, wanted: &'static str) -> Result<&'a [u8], TokenizerError> {
        let length = u32::from_le_bytes(self.array(wanted)?);
        self.take(length as usize, wanted)
    }

    fn text(&mut self, wanted: &'static str) -> Result<&'a str, TokenizerError> {
        let at = self.at;
        std::str::from_utf8(self.part(wanted)?).map_err(|error| TokenizerError::Damaged {
            wanted,
            at,
            found: error.to_string(),
        })
    }
}

/// FNV-1a over words of eight bytes: finds damage, not malice.
fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest.iter().map(|byte| u64::from(*byte));
    words
        .chain(rest)
        .chain([bytes.len() as u64])
        .fold(0xcbf2_9ce4_8422_2325, |sum, word| (sum ^ word).wrapping_mul(0x0100_0000_01b3))
}
