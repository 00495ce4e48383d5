//! The steps of tokenizing, each with what it needs, put together.

use super::layout::{Config, Names, Revision, byte_name};
use super::normalizer::Normalizer;
use super::sentencepiece::{Piece, PieceKind, SentencePieceModel};
use super::sink::Sink;
use super::special::{Segment, SpecialTokens, is_python_space};
use super::unigram::{Step, UNKNOWN, Unigram};
use super::vocabulary::Vocabulary;
use super::{SpecialIds, TokenizerError, whitespace};

/// Everything that turns text into ids and back.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) revision: Revision,
    pub(super) config: Config,
    pub(super) vocabulary: Vocabulary,
    pub(super) unigram: Unigram,
    pub(super) normalizer: Normalizer,
    pub(super) special_tokens: SpecialTokens,
    pub(super) special_ids: SpecialIds,
    /// Id of the end-of-sequence token, `</s>` in `096f3de`.
    eos: u32,
    /// Id of the piece for text that no piece covers.
    pub(super) unknown: Option<u32>,
    /// Id of each byte's piece, where characters without a piece become bytes.
    byte_ids: Option<Vec<u32>>,
    /// How many pieces are in the published file; the rest is added by the code.
    pub(super) pieces_in_file: usize,
    /// The published file without its pieces.
    pub(super) settings: Vec<u8>,
    pub(super) unknown_surface: String,
    /// Whether decoding takes the first space away, and how often.
    pub(super) leading_space: LeadingSpace,
}

/// What decoding does with the space in front of the first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeadingSpace {
    Kept,
    /// The one that was added goes.
    FirstGoes,
    /// All go, since the normalizer takes spaces away.
    AllGo,
}

impl Core {
    pub(super) fn new(
        model: &SentencePieceModel<'_>,
        config: Config,
    ) -> Result<Self, TokenizerError> {
        let revision = Revision::of(&model.pieces);
        let added = revision.added_pieces();
        let added_pieces = added.iter().map(|(text, kind)| Piece { text, score: 0.0, kind: *kind });
        let all = model.pieces.iter().copied().chain(added_pieces);
        let vocabulary = Vocabulary::new(all, config.image_tokens(revision)?)?;
        let symbols: Vec<_> = vocabulary
            .pieces()
            .filter(|piece| piece.kind == PieceKind::UserDefined)
            .map(|piece| piece.text)
            .collect();
        let unigram = Unigram::new(&vocabulary)?;
        let normalizer = Normalizer::new(&model.normalizer, &model.trainer, &symbols)?;

        let lookup = Lookup { vocabulary: &vocabulary, unigram: &unigram };
        let names = config.names(revision);
        let special_ids = lookup.special_ids(&names)?;
        let splitting = names.splitting().into_iter();
        let special_tokens = SpecialTokens::new(
            splitting.filter_map(|name| Some((name.to_owned(), lookup.id(name)?))),
        );
        let eos = lookup.id(&names.eos).unwrap_or(special_ids.eop);
        let unknown = lookup.unknown()?;
        let byte_fallback = model.trainer.byte_fallback || revision == Revision::V096f3de;
        let byte_ids = if byte_fallback { Some(lookup.byte_ids()?) } else { None };
        if byte_ids.is_none() && unknown.is_none() {
            return Err(TokenizerError::NoUnknownPiece);
        }

        let spec = &model.normalizer;
        let leading_space = match (spec.remove_extra_whitespaces, spec.add_dummy_prefix) {
            (true, _) => LeadingSpace::AllGo,
            (false, true) => LeadingSpace::FirstGoes,
            (false, false) => LeadingSpace::Kept,
        };
        Ok(Self {
            revision,
            pieces_in_file: model.pieces.len(),
            settings: SentencePieceModel { pieces: Vec::new(), ..model.clone() }.write(),
            unknown_surface: model.trainer.unk_surface.to_owned(),
            config,
            vocabulary,
            unigram,
            normalizer,
            special_tokens,
            special_ids,
            eos,
            unknown,
            byte_ids,
            leading_space,
        })
    }

    /// The id of a piece, special token or image token.
    pub(super) fn id(&self, text: &str) -> Option<u32> {
        Lookup { vocabulary: &self.vocabulary, unigram: &self.unigram }.id(text)
    }

    /// The text after the changes that the configuration asks for before it is split; as a rule there are none.
    pub(super) fn lowercase(&self, text: &str, out: &mut impl Sink) {
        for Segment { range, special } in self.special_tokens.split_all(text) {
            let part = &text[range.clone()];
            if special.is_some() {
                out.copy(part, range.start);
                continue;
            }
            let mut buffer = [0; 4];
            for (at, character) in part.char_indices() {
                for lower in character.to_lowercase() {
                    out.put(lower.encode_utf8(&mut buffer), range.start + at);
                }
            }
        }
    }

    /// Words with one space between them, as Python's `" ".join(text.split())`.
    pub(super) fn remove_spaces(text: &str, out: &mut impl Sink) {
        let mut space = None;
        for (at, character) in text.trim_matches(is_python_space).char_indices() {
            let at = at + (text.len() - text.trim_start_matches(is_python_space).len());
            if is_python_space(character) {
                space.get_or_insert(at);
                continue;
            }
            if let Some(space) = space.take() {
                out.put(" ", space);
            }
            out.copy(character.encode_utf8(&mut [0; 4]), at);
        }
    }

    /// Token ids of `text`, without special tokens at its end.
    pub(super) fn encode_ids(&self, text: &str) -> Vec<u32> {
        let mut lowered = String::new();
        let text = if self.config.do_lower_case {
            self.lowercase(text, &mut lowered);
            &lowered
        } else {
            text
        };
        let mut ids = Vec::with_capacity(text.len() / 3 + 2);
        for Segment { range, special } in self.special_tokens.split(text) {
            match special {
                Some(id) => ids.push(id),
                None => self.encode_plain(&text[range], &mut ids),
            }
        }
        ids
    }

    /// Appends the ids of a text in which special tokens are not looked for.
    fn encode_plain(&self, text: &str, ids: &mut Vec<u32>) {
        let (mut words, mut named) = (String::new(), String::new());
        let mut text = text;
        if self.config.remove_space {
            Self::remove_spaces(text, &mut words);
            text = &words;
        }
        if whitespace::has_any(text) {
            whitespace::encode(text, &mut named);
            text = &named;
        }
        let mut normalized = String::with_capacity(text.len() * 3 / 2);
        self.normalizer.normalize(text, &mut normalized);
        self.ids_of_steps(&normalized, &self.unigram.segment(&normalized), |id, _| ids.push(id));
    }

    /// Gives each token of a segmentation to `emit`: its id, and the step that it comes from.
    ///
    /// A character without a piece gives its bytes; where there are no byte pieces, neighbouring ones give one unknown
    /// token (`SentencePieceProcessor::PopulateSentencePieceText`).
    pub(super) fn ids_of_steps(
        &self,
        normalized: &str,
        steps: &[Step],
        mut emit: impl FnMut(u32, Step),
    ) {
        for run in steps.chunk_by(|a, b| a.piece == UNKNOWN && b.piece == UNKNOWN) {
            let (first, last) = (run[0], run[run.len() - 1]);
            if first.piece != UNKNOWN {
                emit(self.vocabulary.image_tokens() + first.piece, first);
            } else if let Some(byte_ids) = &self.byte_ids {
                for &step in run {
                    for byte in normalized[step.start as usize..step.end as usize].bytes() {
                        emit(byte_ids[usize::from(byte)], step);
                    }
                }
            } else {
                // The published code looks ids up by text, so the name of a reserved piece becomes that piece.
                let text = &normalized[first.start as usize..last.end as usize];
                if let Some(id) = self.id(text).or(self.unknown) {
                    emit(id, Step { end: last.end, ..first });
                }
            }
        }
    }

    /// The ids that a sequence with `ids` ends with, as `build_inputs_with_special_tokens` of the revision.
    pub(super) fn ending(&self, ids: &[u32]) -> Vec<u32> {
        let SpecialIds { mask, gmask, sop, .. } = self.special_ids;
        let mut ending = Vec::new();
        match self.revision {
            Revision::V096f3de => {
                let is_mask = |id: &u32| *id == mask || *id == gmask;
                if !ids.iter().any(is_mask) {
                    ending.push(gmask);
                } else if !ids.last().is_some_and(is_mask) {
                    ending.push(self.eos);
                }
            }
            Revision::Main => ending.push(gmask),
        }
        ending.push(sop);
        ending
    }
}

/// Finds ids while the rest is being built.
struct Lookup<'a> {
    vocabulary: &'a Vocabulary,
    unigram: &'a Unigram,
}

impl Lookup<'_> {
    fn id(&self, text: &str) -> Option<u32> {
        let piece = self.vocabulary.reserved(text).or_else(|| self.unigram.get(text));
        match piece {
            Some(number) => number.checked_add(self.vocabulary.image_tokens()),
            None => self.vocabulary.image_id(text),
        }
    }

    fn special_ids(&self, names: &Names) -> Result<SpecialIds, TokenizerError> {
        let id =
            |name: &str| self.id(name).ok_or_else(|| TokenizerError::NoSuchPiece(name.to_owned()));
        Ok(SpecialIds {
            mask: id(&names.mask)?,
            gmask: id(&names.gmask)?,
            sop: id(&names.sop)?,
            eop: id(&names.eop)?,
            pad: id(&names.pad)?,
        })
    }

    fn unknown(&self) -> Result<Option<u32>, TokenizerError> {
        let mut found = None;
        for (id, piece) in self.vocabulary.pieces().enumerate() {
            if piece.kind == PieceKind::Unknown && found.replace(id as u32).is_some() {
                let found = format!("a second one, {:?}", piece.text);
                return Err(TokenizerError::Piece { id, wanted: "one unknown piece", found });
            }
        }
        Ok(found.map(|id| id + self.vocabulary.image_tokens()))
    }

    fn byte_ids(&self) -> Result<Vec<u32>, TokenizerError> {
        let is_byte =
            |id: &u32| self.vocabulary.get(*id as usize).is_some_and(|p| p.kind == PieceKind::Byte);
        (0..=u8::MAX)
            .map(|byte| {
                let id = self.vocabulary.reserved(&byte_name(byte)).filter(is_byte);
                let id = id.ok_or(TokenizerError::NoBytePiece(byte))?;
                Ok(id + self.vocabulary.image_tokens())
            })
            .collect()
    }
}
