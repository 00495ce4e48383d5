//! Why bytes are not a tokenizer, or not one that Weft can read.

/// Why a tokenizer could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TokenizerError {
    #[error("damaged tokenizer: wanted {wanted} at byte {at}, found {found}")]
    Damaged { wanted: &'static str, at: usize, found: String },

    #[error("the tokenizer has no pieces")]
    NoPieces,

    #[error("piece {id}: wanted {wanted}, found {found}")]
    Piece { id: usize, wanted: &'static str, found: String },

    #[error("wanted a Unigram vocabulary, found {0}")]
    NotUnigram(String),

    #[error("the vocabulary has no piece {0}, which every ChatGLM sequence needs")]
    NoSuchPiece(String),

    #[error("wanted 256 byte pieces for byte fallback, <0x{0:02X}> is missing")]
    NoBytePiece(u8),

    #[error("wanted an unknown piece, since the vocabulary has no byte fallback")]
    NoUnknownPiece,

    #[error("character map: wanted {wanted}, found {found}")]
    CharacterMap { wanted: &'static str, found: String },

    #[error("the vocabulary rewrites text after decoding, which no ChatGLM vocabulary does")]
    Denormalizer,

    #[error("vocabulary too large: {found} trie nodes, at most {most} fit")]
    TooLarge { found: usize, most: usize },

    #[error("tokenizer_config.json: {0}")]
    Config(String),
}
