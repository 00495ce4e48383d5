//! What the two published revisions do differently, and what `tokenizer_config.json` may change.

use serde::{Deserialize, Serialize};

use super::TokenizerError;
use super::sentencepiece::{Piece, PieceKind};
use super::whitespace::{LONGEST_BLANK, TAB, blank};

/// More image tokens than this are taken for damage.
const MOST_IMAGE_TOKENS: u32 = 1 << 20;

/// A published revision of the tokenizer, as its vocabulary file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Revision {
    /// The file holds text pieces only; the code adds the special, blank and byte pieces behind them and shifts all
    /// ids by 20,000 image tokens.
    #[serde(rename = "096f3de")]
    V096f3de,
    /// The file holds every piece, and there are no image tokens.
    #[serde(rename = "main")]
    Main,
}

impl Revision {
    /// The revision whose vocabulary file `pieces` come from: only `main` has `[gMASK]` in the file.
    pub(super) fn of(pieces: &[Piece<'_>]) -> Self {
        if pieces.iter().any(|piece| piece.text == "[gMASK]") { Self::Main } else { Self::V096f3de }
    }

    /// Image tokens where the configuration names no number.
    pub(super) fn image_tokens(self) -> u32 {
        match self {
            Self::V096f3de => 20_000,
            Self::Main => 0,
        }
    }

    /// The pieces that the code adds to those of the file.
    pub(super) fn added_pieces(self) -> Vec<(String, PieceKind)> {
        if self == Self::Main {
            return Vec::new();
        }
        let special =
            ["[MASK]", "[gMASK]", "[sMASK]", "<unused_0>", "<sop>", "<eop>", "<ENC>", "<dBLOCK>"];
        let special = special.into_iter().map(|name| (name.to_owned(), PieceKind::Control));
        let white_space = std::iter::once(TAB.to_owned())
            .chain((2..=LONGEST_BLANK).map(blank))
            .map(|name| (name, PieceKind::UserDefined));
        let bytes = (0..=u8::MAX).map(|byte| (byte_name(byte), PieceKind::Byte));
        special.chain(white_space).chain(bytes).collect()
    }
}

/// The name of the piece of one byte.
pub(super) fn byte_name(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}

/// What `tokenizer_config.json` says about tokenizing; what it leaves out is as published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Config {
    num_image_tokens: Option<u32>,
    #[serde(default)]
    pub(super) do_lower_case: bool,
    #[serde(default)]
    pub(super) remove_space: bool,
    bos_token: Option<Name>,
    eos_token: Option<Name>,
    eop_token: Option<Name>,
    mask_token: Option<Name>,
    gmask_token: Option<Name>,
    pad_token: Option<Name>,
    unk_token: Option<Name>,
}

/// A token's name, alone or as the `content` of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Plain(String),
    Object { content: String },
}

impl Config {
    /// Reads the bytes of a `tokenizer_config.json`.
    pub(super) fn read(json: &[u8]) -> Result<Self, TokenizerError> {
        serde_json::from_slice(json).map_err(|error| TokenizerError::Config(error.to_string()))
    }

    /// How many image tokens come before the first piece.
    pub(super) fn image_tokens(&self, revision: Revision) -> Result<u32, TokenizerError> {
        match self.num_image_tokens {
            None => Ok(revision.image_tokens()),
            Some(number) if number <= MOST_IMAGE_TOKENS => Ok(number),
            Some(number) => Err(TokenizerError::Config(format!(
                "wanted at most {MOST_IMAGE_TOKENS} for num_image_tokens, found {number}"
            ))),
        }
    }

    /// The names of the tokens that structure a sequence.
    pub(super) fn names(&self, revision: Revision) -> Names {
        let name = |name: &Option<Name>, published: &str| match name {
            Some(Name::Plain(name) | Name::Object { content: name }) => name.clone(),
            None => published.to_owned(),
        };
        let eos = match revision {
            Revision::V096f3de => "</s>",
            Revision::Main => "<eop>",
        };
        Names {
            sop: name(&self.bos_token, "<sop>"),
            eos: name(&self.eos_token, eos),
            // `main` calls the end of the answer its end of sequence.
            eop: match revision {
                Revision::V096f3de => name(&self.eop_token, "<eop>"),
                Revision::Main => name(&self.eos_token, "<eop>"),
            },
            mask: name(&self.mask_token, "[MASK]"),
            gmask: name(&self.gmask_token, "[gMASK]"),
            pad: name(&self.pad_token, "<pad>"),
            unk: name(&self.unk_token, "<unk>"),
        }
    }
}

/// Names of the tokens that structure a sequence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Names {
    pub(super) sop: String,
    pub(super) eos: String,
    pub(super) eop: String,
    pub(super) mask: String,
    pub(super) gmask: String,
    pub(super) pad: String,
    pub(super) unk: String,
}

impl Names {
    /// Those at which a text is split. `[gMASK]` is none of them, in neither revision.
    pub(super) fn splitting(&self) -> [&str; 5] {
        [&self.sop, &self.eos, &self.mask, &self.pad, &self.unk]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_code_adds_344_pieces() {
        let added = Revision::V096f3de.added_pieces();

        assert_eq!(added.len(), 8 + 80 + 256);
        assert_eq!(added[8], ("<|tab|>".into(), PieceKind::UserDefined));
        assert_eq!(added[343], ("<0xFF>".into(), PieceKind::Byte));
        assert!(Revision::Main.added_pieces().is_empty());
    }

    #[test]
    fn a_configuration_may_name_other_tokens() {
        let json = br#"{"eos_token": {"content": "<end>", "lstrip": false}, "num_image_tokens": 7, "unknown": [1]}"#;
        let config = Config::read(json).unwrap();

        assert_eq!(config.names(Revision::Main).eop, "<end>");
        assert_eq!(config.names(Revision::V096f3de).eop, "<eop>");
        assert_eq!(config.image_tokens(Revision::Main), Ok(7));
    }
}
