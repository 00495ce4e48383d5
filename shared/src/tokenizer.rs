//! Text to token ids and back, for every published ChatGLM-6B vocabulary.
//!
//! A text becomes ids in five steps, each in the file of its name:
//!
//! 1. [`special`]: tokens that stand in the text by name, `[MASK]` for example, are cut out
//! 2. [`whitespace`]: line breaks, tabs and runs of spaces get the names of their tokens
//! 3. [`normalizer`]: characters are rewritten by the rules of [`charsmap`], spaces become `▁`
//! 4. [`unigram`]: the text is cut into the most probable pieces, which [`trie`] finds
//! 5. [`vocabulary`]: pieces become ids, characters without a piece become bytes
//!
//! [`decode`](mod@decode) and [`stream`] go the other way. [`layout`] knows what the published revisions do
//! differently, [`sentencepiece`] and [`serialized`] read and write the two forms of a vocabulary, and [`made`] puts
//! together one of one's own.

mod alignment;
mod charsmap;
mod core;
mod decode;
mod error;
mod layout;
mod made;
mod normalizer;
mod pipeline;
#[cfg(test)]
mod properties;
mod protobuf;
mod rules;
mod sentencepiece;
mod serialized;
mod sink;
mod special;
mod stream;
mod trace;
mod trie;
mod unigram;
mod vocabulary;
mod whitespace;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::alignment::tile;
use self::core::Core;
use self::layout::Config;
use self::pipeline::{Pipeline, pipeline};

pub use self::error::TokenizerError;
pub use self::layout::Revision;
pub use self::made::MadeVocabulary;
pub use self::rules::compile_charsmap;
pub use self::sentencepiece::{NormalizerSpec, Piece, PieceKind, SentencePieceModel, TrainerSpec};
pub use self::stream::DecodeStream;
pub use self::trace::{StepName, Trace, TracePart, TraceStep};

/// Ids of the tokens that give a GLM sequence its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialIds {
    /// `[MASK]`: a span to fill in inside the text.
    pub mask: u32,
    /// `[gMASK]`: the answer follows at the end.
    pub gmask: u32,
    /// `<sop>`: the answer starts here.
    pub sop: u32,
    /// `<eop>`: the answer ends here.
    pub eop: u32,
    /// `<pad>`: fills short samples of a batch.
    pub pad: u32,
}

/// A text as tokens; the three lists have one length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    pub ids: Vec<u32>,
    /// The piece of each id: `▁` is a space, `<0x41>` one byte of a character.
    pub tokens: Vec<String>,
    /// The bytes of the text that each token covers. They tile it: the first starts at 0, each starts where the one
    /// before ends, and the last ends with the text.
    pub offsets: Vec<(usize, usize)>,
}

/// The tokenizer of a published ChatGLM-6B vocabulary.
#[derive(Debug)]
pub struct ChatGlmTokenizer {
    core: Arc<Core>,
    pipeline: Pipeline,
}

impl ChatGlmTokenizer {
    /// Reads a tokenizer in either form: a published `.model` file, or what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenizerError> {
        if serialized::is_serialized(bytes) {
            let (model, config) = serialized::read(bytes)?;
            Self::new(&model, config)
        } else {
            Self::from_sentencepiece(bytes)
        }
    }

    /// Reads a published SentencePiece `.model` file.
    pub fn from_sentencepiece(bytes: &[u8]) -> Result<Self, TokenizerError> {
        Self::from_model(&SentencePieceModel::read(bytes)?)
    }

    /// The tokenizer of a vocabulary that is already read, or made.
    pub fn from_model(model: &SentencePieceModel<'_>) -> Result<Self, TokenizerError> {
        Self::new(model, Config::default())
    }

    /// The same vocabulary under a `tokenizer_config.json`, given as its bytes.
    pub fn with_config(&self, json: &[u8]) -> Result<Self, TokenizerError> {
        let config = Config::read(json)?;
        Self::new(&self.model(), config)
    }

    fn new(model: &SentencePieceModel<'_>, config: Config) -> Result<Self, TokenizerError> {
        let core = Arc::new(Core::new(model, config)?);
        Ok(Self { pipeline: pipeline(&core), core })
    }

    /// Weft's own form: compact, and quick to load.
    pub fn to_bytes(&self) -> Vec<u8> {
        serialized::write(&self.model(), &self.core.config)
    }

    /// The published form, byte for byte the file that was read.
    pub fn to_sentencepiece(&self) -> Vec<u8> {
        self.model().write()
    }

    /// The published file, in its parts.
    fn model(&self) -> SentencePieceModel<'_> {
        // The settings were written by this program; an empty model stands for the impossible.
        let settings = SentencePieceModel::read_settings(&self.core.settings).unwrap_or_default();
        let pieces = self.core.vocabulary.pieces().take(self.core.pieces_in_file).collect();
        SentencePieceModel { pieces, ..settings }
    }

    /// Tokens of `text`, each with its place in it, without special tokens at the end.
    pub fn encode(&self, text: &str) -> Encoding {
        self.encode_by_pipeline(text, false)
    }

    /// Tokens of `text`, and those that a sequence ends with: `[gMASK]` and `<sop>`.
    pub fn encode_with_special_tokens(&self, text: &str) -> Encoding {
        self.encode_by_pipeline(text, true)
    }

    fn encode_by_pipeline(&self, text: &str, add_special_tokens: bool) -> Encoding {
        // No step of the pipeline fails.
        let encoding = self.pipeline.encode(text, add_special_tokens).unwrap_or_default();
        let starts = encoding.get_offsets().iter().map(|(start, _)| *start);
        Encoding {
            ids: encoding.get_ids().to_vec(),
            tokens: encoding.get_tokens().to_vec(),
            offsets: tile(starts, text.len()),
        }
    }

    /// Ids of `text`, without special tokens at the end; the quick way where only ids are wanted.
    pub fn encode_ids(&self, text: &str) -> Vec<u32> {
        self.core.encode_ids(text)
    }

    /// Ids of `text`, and those that a sequence ends with: `[gMASK]` and `<sop>`.
    pub fn encode_ids_with_special_tokens(&self, text: &str) -> Vec<u32> {
        let mut ids = self.core.encode_ids(text);
        ids.extend(self.core.ending(&ids));
        ids
    }

    /// What each step does to `text`.
    pub fn trace(&self, text: &str) -> Trace {
        self.core.trace(text, self.encode(text))
    }

    /// The text of `ids`. Padding, ids of structure and ids that the vocabulary has not leave no trace.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.core.decode(ids)
    }

    /// Decodes ids one at a time.
    pub fn decode_stream(&self) -> DecodeStream<'_> {
        DecodeStream::new(&self.core)
    }

    /// The piece, special token or image token of `id`.
    pub fn piece(&self, id: u32) -> Option<&str> {
        self.core.vocabulary.text(id)
    }

    /// The id of a piece, special token or image token.
    pub fn id(&self, piece: &str) -> Option<u32> {
        self.core.id(piece)
    }

    /// The ids that structure a sequence.
    pub fn special_ids(&self) -> SpecialIds {
        self.core.special_ids
    }

    /// Which published revision the vocabulary belongs to.
    pub fn revision(&self) -> Revision {
        self.core.revision
    }

    /// How many ids there are, image tokens among them: 150,344 in `096f3de` and 130,344 in `main`.
    pub fn vocab_size(&self) -> usize {
        self.core.vocabulary.len() + self.core.vocabulary.image_tokens() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mini() -> ChatGlmTokenizer {
        ChatGlmTokenizer::from_bytes(include_bytes!(
            "../../tests/fixtures/mini/checkpoint/ice_text.model"
        ))
        .unwrap()
    }

    #[test]
    fn each_token_knows_its_place_in_the_text() {
        let text = " 你好，\u{1}hello½";
        let encoding = mini().encode(text);

        let places: Vec<_> =
            encoding.offsets.iter().map(|&(start, end)| &text[start..end]).collect();
        let tokens = [
            "▁", "你好", ",", "<0x68>", "e", "l", "l", "o", "1", "<0xE2>", "<0x81>", "<0x84>", "2",
        ];
        assert_eq!(encoding.tokens, tokens);
        assert_eq!(places, [" ", "你好", "，\u{1}", "h", "e", "l", "l", "o", "", "", "", "", "½"]);
    }

    #[test]
    fn a_special_token_by_name_is_that_token() {
        let encoding = mini().encode("问 [MASK] 答 [gMASK]");

        assert_eq!(encoding.tokens[..3], ["▁", "问", "[MASK]"]);
        assert!(!encoding.ids.contains(&301), "[gMASK] in a text is text");
    }

    #[test]
    fn a_sequence_ends_with_the_place_of_its_answer() {
        assert_eq!(mini().encode_ids_with_special_tokens("你好"), [5, 39, 301, 304]);
    }

    #[test]
    fn a_stream_shows_whole_characters_only() {
        let mini = mini();
        let mut stream = mini.decode_stream();
        let shown: Vec<_> =
            mini.encode_ids("👋\n.").into_iter().map(|id| stream.push(id)).collect();

        let wave = Some("👋".to_owned());
        assert_eq!(
            shown,
            [None, None, None, None, wave, Some("\n".to_owned()), Some(".".to_owned())]
        );
    }

    #[test]
    fn the_trace_shows_what_each_step_does() {
        let trace = mini().trace(" 问：\n[MASK]1");

        let shown = |step: &TraceStep| {
            step.parts.iter().map(|part| part.text.clone()).collect::<Vec<_>>().join("/")
        };
        let steps: Vec<_> =
            trace.steps.iter().map(|step| (step.name, shown(step), step.changed)).collect();
        let expected = [
            (StepName::Text, " 问：\n[MASK]1", false),
            (StepName::SpecialTokens, " 问：/[MASK]/1", true),
            (StepName::WhiteSpace, " 问：/[MASK]/1", false),
            (StepName::Characters, " 问:/[MASK]/1", true),
            (StepName::Spaces, "▁问:/[MASK]/▁1", true),
            (StepName::Pieces, "▁/问/:/[MASK]/▁/1", true),
        ];
        assert_eq!(steps, expected.map(|(name, text, changed)| (name, text.to_owned(), changed)));
    }

    #[test]
    fn a_configuration_may_ask_for_lower_case_and_single_spaces() {
        let json = br#"{"do_lower_case": true, "remove_space": true}"#;
        let tokenizer = mini().with_config(json).unwrap();

        assert_eq!(
            tokenizer.encode(" HELLO \n HELLO [MASK]").tokens,
            ["▁hello", "▁hello", "[MASK]"]
        );
        assert_eq!(tokenizer.encode_ids("HELLO \t HELLO"), mini().encode_ids("hello hello"));
    }

    #[test]
    fn bytes_that_are_no_tokenizer_are_refused_with_their_reason() {
        let refusal = |bytes: &[u8]| ChatGlmTokenizer::from_bytes(bytes).unwrap_err().to_string();
        let own = mini().to_bytes();
        let published = mini().to_sentencepiece();

        assert_eq!(refusal(b""), "the tokenizer has no pieces");
        assert_eq!(
            refusal(b"{\"version\": \"1.0\"}"),
            "damaged tokenizer: wanted wire type 0, 1, 2 or 5 at byte 0, found wire type 3"
        );
        assert_eq!(
            refusal(&own[..own.len() - 1]),
            "damaged tokenizer: wanted the bytes that were written at byte 8, found other bytes, changed or cut off"
        );
        assert_eq!(
            refusal(&published[..published.len() - 1]),
            "damaged tokenizer: wanted the bytes of a field at byte 5365, found 2311 of 2312 bytes"
        );
        let mini = mini();
        let model =
            SentencePieceModel { pieces: mini.model().pieces[..302].to_vec(), ..mini.model() };
        assert_eq!(
            ChatGlmTokenizer::from_model(&model).unwrap_err().to_string(),
            "the vocabulary has no piece <sop>, which every ChatGLM sequence needs"
        );
    }
}
