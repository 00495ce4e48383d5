//! Weft's steps as parts of a tokenizer of the `tokenizers` crate, which runs them and keeps the offsets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokenizers::normalizer::Range;
use tokenizers::{
    AddedToken, Decoder, Encoding, Model, NormalizedString, Normalizer, PostProcessor,
    PreTokenizedString, PreTokenizer, Result, Split, Token, TokenizerImpl, Trainer,
};

use super::alignment::realign;
use super::core::Core;
use super::sink::Aligned;
use super::whitespace;

/// The whole: lowercase, split and rewrite, segment, end the sequence, decode.
pub(super) type Pipeline = TokenizerImpl<Shared, Shared, Shared, Shared, Shared>;

/// Every part of the pipeline: the same steps, seen from another side.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Core>);

/// The pipeline over `core`.
pub(super) fn pipeline(core: &Arc<Core>) -> Pipeline {
    let shared = Shared(Arc::clone(core));
    let mut pipeline = TokenizerImpl::new(shared.clone());
    pipeline
        .with_pre_tokenizer(Some(shared.clone()))
        .with_post_processor(Some(shared.clone()))
        .with_decoder(Some(shared.clone()));
    if core.config.do_lower_case {
        // Fails on added tokens alone, of which there are none.
        let _ = pipeline.with_normalizer(Some(shared));
    }
    pipeline
}

/// Before the text is split: lower case, where the configuration asks for it.
impl Normalizer for Shared {
    fn normalize(&self, text: &mut NormalizedString) -> Result<()> {
        rewrite(text, |text, out| self.0.lowercase(text, out));
        Ok(())
    }
}

/// Splits at special tokens and rewrites what lies between.
impl PreTokenizer for Shared {
    fn pre_tokenize(&self, text: &mut PreTokenizedString) -> Result<()> {
        let core = &self.0;
        text.split(|_, whole| {
            let mut splits = Vec::new();
            for segment in core.special_tokens.split(whole.get()) {
                let Some(mut part) = whole.slice(Range::Normalized(segment.range)) else {
                    continue;
                };
                if let Some(id) = segment.special {
                    let name = part.get().to_owned();
                    let offsets = (0, name.len());
                    splits.push(Split::from((part, Some(vec![Token::new(id, name, offsets)]))));
                    continue;
                }
                if core.config.remove_space {
                    rewrite(&mut part, Core::remove_spaces);
                }
                rewrite(&mut part, whitespace::encode);
                rewrite(&mut part, |text, out| core.normalizer.normalize(text, out));
                splits.push(part.into());
            }
            Ok(splits)
        })
    }
}

/// Rewrites `text` by one step.
fn rewrite(text: &mut NormalizedString, step: impl FnOnce(&str, &mut Aligned)) {
    let mut aligned = Aligned::default();
    step(text.get(), &mut aligned);
    realign(text, &aligned);
}

impl Model for Shared {
    type Trainer = NoTrainer;

    fn tokenize(&self, normalized: &str) -> Result<Vec<Token>> {
        let core = &self.0;
        let steps = core.unigram.segment(normalized);
        let mut tokens = Vec::with_capacity(steps.len());
        core.ids_of_steps(normalized, &steps, |id, step| {
            let value = core.vocabulary.text(id).unwrap_or_default().to_owned();
            tokens.push(Token::new(id, value, (step.start as usize, step.end as usize)));
        });
        Ok(tokens)
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.0.id(token)
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        self.0.vocabulary.text(id).map(str::to_owned)
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        let vocabulary = &self.0.vocabulary;
        (vocabulary.image_tokens()..)
            .zip(vocabulary.pieces())
            .map(|(id, piece)| (piece.text.to_owned(), id))
            .collect()
    }

    fn get_vocab_size(&self) -> usize {
        self.0.vocabulary.len() + self.0.vocabulary.image_tokens() as usize
    }

    fn save(&self, _folder: &Path, _prefix: Option<&str>) -> Result<Vec<PathBuf>> {
        Err("a vocabulary is written as bytes, see ChatGlmTokenizer::to_sentencepiece".into())
    }

    fn get_trainer(&self) -> NoTrainer {
        NoTrainer
    }
}

/// Ends a sequence as the published `build_inputs_with_special_tokens` does.
impl PostProcessor for Shared {
    fn added_tokens(&self, _is_pair: bool) -> usize {
        2
    }

    fn process_encodings(
        &self,
        mut encodings: Vec<Encoding>,
        add_special_tokens: bool,
    ) -> Result<Vec<Encoding>> {
        if add_special_tokens {
            let encoding = encodings.iter().fold(Encoding::default(), |mut whole, part| {
                whole.merge_with(part.clone(), false);
                whole
            });
            encodings.push(self.ending(encoding.get_ids()));
        }
        Ok(encodings)
    }
}

impl Shared {
    /// The tokens behind `ids`, placed behind any text.
    fn ending(&self, ids: &[u32]) -> Encoding {
        let end = usize::MAX;
        let token = |id| Token::new(id, self.id_to_token(id).unwrap_or_default(), (end, end));
        Encoding::from_tokens(self.0.ending(ids).into_iter().map(token).collect(), 0)
    }
}

impl Decoder for Shared {
    fn decode_chain(&self, tokens: Vec<String>) -> Result<Vec<String>> {
        let ids: Vec<_> = tokens.iter().filter_map(|token| self.0.id(token)).collect();
        Ok(vec![self.0.decode(&ids)])
    }
}

/// Vocabularies are published, not trained here.
pub(super) struct NoTrainer;

impl Trainer for NoTrainer {
    type Model = Shared;

    fn should_show_progress(&self) -> bool {
        false
    }

    fn train(&self, _model: &mut Shared) -> Result<Vec<AddedToken>> {
        Err("a ChatGLM vocabulary is published, not trained".into())
    }

    fn feed<I, S, F>(&mut self, _iterator: I, _process: F) -> Result<()>
    where
        I: Iterator<Item = S> + Send,
        S: AsRef<str> + Send,
        F: Fn(&str) -> Result<Vec<String>> + Sync,
    {
        Ok(())
    }
}
