//! Many chats at once, as a server writes them.

use std::sync::Arc;

use candle_core::{Error, Result};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::{tokenizer::SpecialIds, training::LoraOptions};

use super::{Measured, WARM_UP, adapter};
use crate::{
    chatglm::ChatGlm,
    generation::{ChatMemory, Generation, GenerationError, SamplingOptions, next_tokens},
    lora::Adapter,
};

/// A token more for each of `chats` chats, which have about `context` tokens and an adapter each.
pub fn serve(
    model: &ChatGlm,
    lora: &LoraOptions,
    (chats, context): (usize, usize),
    sampling: &SamplingOptions,
    repeats: usize,
) -> Result<Measured> {
    let memory = ChatMemory::new(model);
    let mut answers = (0..chats as u64)
        .map(|chat| {
            let adapter = adapter(model, lora, chat)?;
            let tokens = WARM_UP + repeats.max(1) + 1;
            begin((model, &memory), adapter, chat, (context, tokens), sampling)
        })
        .collect::<Result<Vec<_>>>()?;
    let mut step = || -> Result<()> {
        let mut all: Vec<_> = answers.iter_mut().collect();
        next_tokens(model, &mut all).into_iter().try_for_each(|next| match next {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Error::msg("an answer ended")),
            Err(GenerationError::Compute(error)) => Err(error),
            Err(error) => Err(Error::wrap(error)),
        })
    };
    // Reads the prompts.
    step()?;
    Measured::new(model.device(), repeats, step)
}

fn begin(
    (model, memory): (&ChatGlm, &ChatMemory),
    adapter: Adapter,
    chat: u64,
    (context, tokens): (usize, usize),
    sampling: &SamplingOptions,
) -> Result<Generation> {
    let adapter = Some(Arc::new(adapter));
    let vocab = model.config().vocab_size;
    let (ids, special) = prompt(vocab, chat, context.saturating_sub(tokens).max(1));
    let sampling = SamplingOptions { seed: chat, ..sampling.clone() };
    Generation::new(model, memory, adapter, ids, special, sampling, tokens).map_err(Error::wrap)
}

/// The first token of a greedy answer to a prompt of `tokens` tokens that was answered before.
pub fn first_token_again(model: &ChatGlm, tokens: usize, repeats: usize) -> Result<Measured> {
    let memory = ChatMemory::new(model);
    let (ids, special) = prompt(model.config().vocab_size, 0, tokens - 2);
    Measured::new(model.device(), repeats, || {
        let sampling = SamplingOptions { greedy: true, ..SamplingOptions::default() };
        let answer = Generation::new(model, &memory, None, ids.clone(), special, sampling, 1);
        answer.and_then(|mut answer| answer.next_token(model)).map(drop).map_err(Error::wrap)
    })
}

/// So many random tokens, `[gMASK] <sop>`, and special tokens none of which ends an answer.
fn prompt(vocab: usize, seed: u64, tokens: usize) -> (Vec<u32>, SpecialIds) {
    let last = vocab as u32 - 1;
    let special = SpecialIds { mask: last, gmask: last - 1, sop: last - 2, eop: u32::MAX, pad: 0 };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut ids: Vec<u32> = (0..tokens).map(|_| rng.random_range(0..last - 2)).collect();
    ids.extend([special.gmask, special.sop]);
    (ids, special)
}
