//! Many chats at once, as a server writes them.

use std::sync::Arc;

use candle_core::{Error, Result};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::{tokenizer::SpecialIds, training::LoraOptions};

use super::{Measured, WARM_UP};
use crate::{
    chatglm::ChatGlm,
    generation::{Generation, GenerationError, SamplingOptions, next_tokens},
    lora::{Adapter, Target},
};

/// A greedy token more for each of `chats` chats, which have about `context` tokens and an adapter (r 8 on
/// `query_key_value`) each.
pub fn serve(model: &ChatGlm, chats: usize, context: usize, repeats: usize) -> Result<Measured> {
    let mut answers = (0..chats as u64)
        .map(|chat| begin(model, chat, context, WARM_UP + repeats.max(1) + 1))
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

fn begin(model: &ChatGlm, chat: u64, context: usize, tokens: usize) -> Result<Generation> {
    let config = model.config();
    let targets = [Target::QueryKeyValue];
    let options = LoraOptions { r: 8, ..LoraOptions::default() };
    let adapter = Adapter::initialize(options, &targets, config, chat, model.device())?;
    let last = config.vocab_size as u32 - 1;
    // No token is `<eop>`, and no answer ends.
    let special = SpecialIds { mask: last, gmask: last - 1, sop: last - 2, eop: u32::MAX, pad: 0 };
    let mut rng = ChaCha8Rng::seed_from_u64(chat);
    let prompt = context.saturating_sub(tokens).max(1);
    let mut ids: Vec<u32> = (0..prompt).map(|_| rng.random_range(0..last - 2)).collect();
    ids.extend([special.gmask, special.sop]);
    let sampling = SamplingOptions { greedy: true, ..SamplingOptions::default() };
    Generation::new(model, Some(Arc::new(adapter)), ids, special, sampling, tokens)
        .map_err(Error::wrap)
}
