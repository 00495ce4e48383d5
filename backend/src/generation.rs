//! From prompt ids to answer ids, one token at a time.

mod memory;
mod sampler;
mod together;

use std::sync::Arc;

use candle_core::Tensor;
use weft_shared::{
    sample::{GenerationPositions, PositionRule, SampleError},
    tokenizer::SpecialIds,
};

use crate::{
    chatglm::{ChatGlm, ChatToken, Input, Pass},
    lora::Adapter,
    ops::{AttentionMask, KvCache, MaskRow, OutOfPages, PositionIds},
};

pub use memory::ChatMemory;
pub use sampler::{InvalidSampling, Sampler, SamplingOptions};
pub use together::next_tokens;

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
    #[error(transparent)]
    Memory(#[from] OutOfPages),
    #[error("the model could not be computed")]
    Compute(#[from] candle_core::Error),
    #[error("the model ended before the answer did; the log says why")]
    Broken,
}

/// Where an answer's tokens come from.
pub trait Tokens {
    /// The next token of the answer; `None` when it has ended.
    fn next_token(&mut self) -> Result<Option<u32>, GenerationError>;

    /// What was asked.
    fn prompt(&self) -> &[u32];

    /// The answer so far, without `<eop>`.
    fn answer(&self) -> &[u32];

    /// Why the answer ended, once it has.
    fn finish(&self) -> Option<Finish>;
}

/// One answer that is being written, by whoever has the model.
pub struct Generation {
    adapter: Option<Arc<Adapter>>,
    special: SpecialIds,
    positions: GenerationPositions,
    memory: ChatMemory,
    cache: KvCache,
    sampler: Sampler,
    /// Prompt and answer so far.
    ids: Vec<u32>,
    prompt_length: usize,
    /// Tokens after which the answer ends, `<eop>` or not.
    max_tokens: usize,
    finish: Option<Finish>,
}

impl Generation {
    /// An answer of `model`, whose chats have `memory`, to `prompt_ids`, which end in `[gMASK] <sop>`.
    pub fn new(
        model: &ChatGlm,
        memory: &ChatMemory,
        adapter: Option<Arc<Adapter>>,
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
            adapter,
            special,
            positions,
            cache: memory.cache(),
            memory: memory.clone(),
            // The reference's invalid rows fall back to `▁`, two ids after `<pad>`.
            sampler: Sampler::new(sampling, special.pad + 2)?,
            ids: prompt_ids,
            prompt_length: tokens,
            max_tokens,
            finish: None,
        })
    }

    /// The next token of the answer; `None` when it has ended. `model` is the one that it was begun with.
    pub fn next_token(&mut self, model: &ChatGlm) -> Result<Option<u32>, GenerationError> {
        if self.has_ended() {
            return Ok(None);
        }
        let logits = match self.scores(model) {
            // What is remembered for others may be in the way.
            Err(GenerationError::Compute(error)) if self.memory.let_go() => {
                tracing::warn!("{error}: tried again without remembered prompts");
                self.scores(model)
            }
            scores => scores,
        }?;
        let picked = Sampler::pick_rows(&logits.flatten(0, 1)?, &mut [self.sampling()])?;
        Ok(picked.first().and_then(|&token| self.take(token)))
    }

    /// Scores of the next token, `[1, 1, vocab]`.
    fn scores(&mut self, model: &ChatGlm) -> Result<Tensor, GenerationError> {
        if !self.has_begun() {
            return self.read_prompt(model);
        }
        self.reserve_newest()?;
        Ok(model.logits(&model.hidden_states_of_chats(&mut [self.newest()])?)?)
    }

    /// Its tokens, computed alone whenever one is asked for.
    pub fn alone(self, model: &ChatGlm) -> impl Tokens {
        Alone { model, generation: self }
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

    /// Whether there is no further token; notes that there were as many as there may be.
    fn has_ended(&mut self) -> bool {
        if self.finish.is_none() && self.answer().len() >= self.max_tokens {
            self.finish = Some(Finish::Length);
        }
        self.finish.is_some()
    }

    /// Whether the first token is there; from then on the cache holds all but the newest.
    fn has_begun(&self) -> bool {
        self.ids.len() > self.prompt_length
    }

    /// Makes room in the cache for the newest token, which a pass that failed at its end has counted already.
    fn reserve_newest(&mut self) -> Result<(), OutOfPages> {
        self.cache.truncate(self.ids.len() - 1);
        self.memory.reserve(&mut self.cache, 1)
    }

    /// The sampler, and what it has seen.
    fn sampling(&mut self) -> (&mut Sampler, &[u32]) {
        (&mut self.sampler, &self.ids)
    }

    /// Adds what was picked, unless it ends the answer.
    fn take(&mut self, token: u32) -> Option<u32> {
        if token == self.special.eop {
            self.finish = Some(Finish::Stop);
            return None;
        }
        self.ids.push(token);
        Some(token)
    }

    /// The newest token, the only one that the cache does not hold.
    fn newest(&mut self) -> ChatToken<'_> {
        let step = self.ids.len() - 1 - self.prompt_length;
        ChatToken {
            id: self.ids[self.ids.len() - 1],
            positions: self.positions.generated(step).rows().concat(),
            adapter: self.adapter.as_deref(),
            cache: &mut self.cache,
        }
    }

    /// Scores of the first token after the prompt, `[1, 1, vocab]`; all of the prompt goes through the model at once, unless
    /// it was read not long ago.
    fn read_prompt(&mut self, model: &ChatGlm) -> Result<Tensor, GenerationError> {
        if let Some((cache, last)) = self.memory.find(self.prompt(), self.adapter.as_ref()) {
            self.cache = cache;
            return Ok(model.logits(&last)?);
        }
        self.cache = self.memory.cache();
        self.memory.reserve(&mut self.cache, self.prompt_length)?;
        let position_ids = self.positions.prompt();
        let input = Input {
            input_ids: Tensor::new(self.prompt(), model.device())?.unsqueeze(0)?,
            position_ids: PositionIds {
                batch: 1,
                rows: position_ids.rows().len(),
                seq: self.prompt_length,
                ids: position_ids.rows().concat(),
            },
            attention_mask: AttentionMask::new(vec![MaskRow {
                padding: 0,
                context: self.positions.context_length(),
            }]),
        };
        let pass = Pass { adapter: self.adapter.as_deref(), ..Pass::default() };
        let hidden = model.hidden_states_cached(&input, pass, &mut self.cache)?; // [1, seq, model]
        let last = hidden.narrow(1, self.prompt_length - 1, 1)?.contiguous()?; // [1, 1, model]
        self.memory.remember(self.prompt(), self.adapter.as_ref(), &self.cache, &last);
        Ok(model.logits(&last)?)
    }
}

struct Alone<'a> {
    model: &'a ChatGlm,
    generation: Generation,
}

impl Tokens for Alone<'_> {
    fn next_token(&mut self) -> Result<Option<u32>, GenerationError> {
        self.generation.next_token(self.model)
    }

    fn prompt(&self) -> &[u32] {
        self.generation.prompt()
    }

    fn answer(&self) -> &[u32] {
        self.generation.answer()
    }

    fn finish(&self) -> Option<Finish> {
        self.generation.finish()
    }
}
