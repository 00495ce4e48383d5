//! From prompt ids to answer ids, one token at a time.

mod sampler;

use candle_core::Tensor;
use weft_shared::{
    sample::{GenerationPositions, PositionRule, SampleError},
    tokenizer::SpecialIds,
};

use crate::{
    chatglm::{ChatGlm, Input, KvCache, Pass},
    lora::Adapter,
    ops::{AttentionMask, MaskRow, PositionIds},
};

pub use sampler::{InvalidSampling, Sampler, SamplingOptions};

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model wrote `<eop>`.
    Stop,
    /// As many tokens as were asked for, or as the model has positions for.
    Length,
}

/// Why an answer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError {
    #[error("the prompt has {tokens} tokens, and the model reads at most {most}")]
    PromptTooLong { tokens: usize, most: usize },
    #[error(transparent)]
    Sampling(#[from] InvalidSampling),
    #[error("the prompt cannot be answered")]
    Prompt(#[from] SampleError),
    #[error("the model could not be computed")]
    Compute(#[from] candle_core::Error),
}

/// One answer that is being written.
pub struct Generation<'a> {
    model: &'a ChatGlm,
    adapter: Option<&'a Adapter>,
    special: SpecialIds,
    positions: GenerationPositions,
    cache: KvCache,
    sampler: Sampler,
    /// Prompt and answer so far.
    ids: Vec<u32>,
    prompt_length: usize,
    /// Tokens after which the answer ends, `<eop>` or not.
    max_tokens: usize,
    finish: Option<Finish>,
}

impl<'a> Generation<'a> {
    /// An answer to `prompt_ids`, which end in `[gMASK] <sop>`.
    pub fn new(
        model: &'a ChatGlm,
        adapter: Option<&'a Adapter>,
        prompt_ids: Vec<u32>,
        special: SpecialIds,
        sampling: SamplingOptions,
        max_tokens: usize,
    ) -> Result<Self, GenerationError> {
        let config = model.config();
        let most = config.max_sequence_length;
        let tokens = prompt_ids.len();
        if tokens >= most {
            return Err(GenerationError::PromptTooLong { tokens, most });
        }
        let rule = if config.is_main() { PositionRule::Main } else { PositionRule::V096f3de };
        let positions =
            GenerationPositions::new(rule, &prompt_ids, special, config.position_encoding_2d)?;
        let max_tokens = max_tokens.min(most - tokens);
        Ok(Self {
            model,
            adapter,
            special,
            positions,
            cache: KvCache::new(config, tokens + max_tokens, model.dtype(), model.device())?,
            // The reference's invalid rows fall back to `▁`, two ids after `<pad>`.
            sampler: Sampler::new(sampling, special.pad + 2)?,
            ids: prompt_ids,
            prompt_length: tokens,
            max_tokens,
            finish: None,
        })
    }

    /// The next token of the answer; `None` when it has ended.
    pub fn next_token(&mut self) -> Result<Option<u32>, GenerationError> {
        if self.finish.is_none() && self.answer().len() >= self.max_tokens {
            self.finish = Some(Finish::Length);
        }
        if self.finish.is_some() {
            return Ok(None);
        }
        let logits = self.next_logits()?;
        let token = self.sampler.pick_from(&logits, &self.ids)?;
        if token == self.special.eop {
            self.finish = Some(Finish::Stop);
            return Ok(None);
        }
        self.ids.push(token);
        Ok(Some(token))
    }

    /// What was asked.
    pub fn prompt(&self) -> &[u32] {
        &self.ids[..self.prompt_length]
    }

    /// The answer so far, without `<eop>`.
    pub fn answer(&self) -> &[u32] {
        &self.ids[self.prompt_length..]
    }

    /// Why the answer ended, once it has.
    pub fn finish(&self) -> Option<Finish> {
        self.finish
    }

    /// Scores of the token after all `ids`, `[vocab]`. Reads what the cache does not hold yet.
    fn next_logits(&mut self) -> Result<Tensor, GenerationError> {
        let read = self.cache.len();
        let new = &self.ids[read..];
        let position_ids = match read.checked_sub(self.prompt_length) {
            None => self.positions.prompt(),
            Some(step) => self.positions.generated(step),
        };
        let input = Input {
            input_ids: Tensor::new(new, self.model.device())?.unsqueeze(0)?,
            position_ids: PositionIds {
                batch: 1,
                rows: position_ids.rows().len(),
                seq: new.len(),
                ids: position_ids.rows().concat(),
            },
            attention_mask: AttentionMask::new(vec![MaskRow {
                padding: 0,
                context: self.positions.context_length(),
            }]),
        };
        let pass = Pass { adapter: self.adapter, ..Pass::default() };
        let hidden = self.model.hidden_states_cached(&input, pass, &mut self.cache)?; // [1, seq, model]
        let last = hidden.narrow(1, new.len() - 1, 1)?.contiguous()?; // [1, 1, model]
        Ok(self.model.logits(&last)?.flatten_all()?) // [vocab]
    }
}
