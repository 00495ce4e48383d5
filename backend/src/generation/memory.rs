//! Where the answers of one model keep keys and values: pages that all share, and the prompts that were read last.
//!
//! A prompt that is asked again with the same adapter, for another answer, is not read again. ChatGLM reads a prompt in both
//! directions, so the keys of its tokens depend on its end: those of a longer prompt that only starts the same are others, and
//! nothing but the whole prompt can be used again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use candle_core::Tensor;

use crate::{
    chatglm::ChatGlm,
    lora::Adapter,
    ops::{KvCache, OutOfPages, PAGE_TOKENS, PageCounts, PagePool},
};

/// Pages of all remembered prompts together: 2,048 tokens, 0.9 GB for ChatGLM-6B in f16.
const MOST_REMEMBERED: usize = 2048 / PAGE_TOKENS;

/// The memory of all chats with one model; clones are the same.
#[derive(Clone, Debug)]
pub struct ChatMemory {
    pool: PagePool,
    /// The oldest first.
    prompts: Arc<Mutex<Vec<Prompt>>>,
}

/// A prompt that was read.
#[derive(Debug)]
struct Prompt {
    ids: Vec<u32>,
    /// Does not keep the adapter, which nothing changes while it lives.
    adapter: Option<Weak<Adapter>>,
    cache: KvCache,
    /// The last token's hidden state, `[1, 1, model]`.
    last: Tensor,
}

impl Prompt {
    fn is_read_with(&self, adapter: Option<&Arc<Adapter>>) -> bool {
        match (&self.adapter, adapter) {
            (None, None) => true,
            (Some(own), Some(adapter)) => std::ptr::eq(own.as_ptr(), Arc::as_ptr(adapter)),
            _ => false,
        }
    }

    fn is_of_living_adapter(&self) -> bool {
        self.adapter.as_ref().is_none_or(|adapter| adapter.strong_count() > 0)
    }
}

impl ChatMemory {
    /// For chats with `model`, and with no other.
    pub fn new(model: &ChatGlm) -> Self {
        Self::of(model.page_pool(None))
    }

    /// In the pages of `pool`, which is of the model that the chats are with.
    pub fn of(pool: PagePool) -> Self {
        Self { pool, prompts: Arc::default() }
    }

    pub fn pages(&self) -> PageCounts {
        self.pool.counts()
    }

    /// Pages of remembered prompts, each of which may be a chat's, too.
    pub fn remembered_pages(&self) -> usize {
        pages(&self.prompts())
    }

    /// Lets go of what was read with an adapter that is no more.
    pub fn forget(&self, adapter: &Arc<Adapter>) {
        self.prompts().retain(|prompt| !prompt.is_read_with(Some(adapter)));
    }

    /// Forgets all prompts, for whoever needs the memory; whether there were any.
    pub fn let_go(&self) -> bool {
        let mut prompts = self.prompts();
        let had_any = !prompts.is_empty();
        prompts.clear();
        had_any
    }

    pub(super) fn cache(&self) -> KvCache {
        KvCache::new(&self.pool)
    }

    /// Room for `tokens` more; where there is none, remembered prompts are forgotten for it, the oldest first.
    pub(super) fn reserve(&self, cache: &mut KvCache, tokens: usize) -> Result<(), OutOfPages> {
        loop {
            let reserved = cache.reserve(tokens);
            let mut prompts = self.prompts();
            if reserved.is_ok() || prompts.is_empty() {
                return reserved;
            }
            prompts.remove(0);
        }
    }

    /// The prompt as it was read before, and the last token's hidden state.
    pub(super) fn find(
        &self,
        ids: &[u32],
        adapter: Option<&Arc<Adapter>>,
    ) -> Option<(KvCache, Tensor)> {
        let mut prompts = self.prompts();
        prompts.retain(Prompt::is_of_living_adapter);
        let is_it = |prompt: &Prompt| prompt.ids == ids && prompt.is_read_with(adapter);
        let prompt = prompts.iter().position(is_it).map(|place| prompts.remove(place))?;
        let found = (prompt.cache.share(), prompt.last.clone());
        prompts.push(prompt);
        Some(found)
    }

    /// Remembers a prompt that was read into `cache`, which holds nothing else yet.
    pub(super) fn remember(
        &self,
        ids: &[u32],
        adapter: Option<&Arc<Adapter>>,
        cache: &KvCache,
        last: &Tensor,
    ) {
        let prompt = Prompt {
            ids: ids.to_vec(),
            adapter: adapter.map(Arc::downgrade),
            cache: cache.share(),
            last: last.clone(),
        };
        let mut prompts = self.prompts();
        prompts.retain(Prompt::is_of_living_adapter);
        prompts.push(prompt);
        while pages(&prompts) > MOST_REMEMBERED {
            prompts.remove(0);
        }
    }

    fn prompts(&self) -> MutexGuard<'_, Vec<Prompt>> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of all of them together.
fn pages(prompts: &[Prompt]) -> usize {
    prompts.iter().map(|prompt| prompt.cache.pages()).sum()
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use weft_shared::{tokenizer::SpecialIds, training::LoraOptions};

    use super::*;
    use crate::{
        bench::Shape,
        generation::{Generation, GenerationError, SamplingOptions, next_tokens},
        lora::Target,
    };

    /// No token is `<eop>`, and no answer ends early.
    const SPECIAL: SpecialIds = SpecialIds { mask: 91, gmask: 92, sop: 93, eop: u32::MAX, pad: 95 };

    fn model() -> ChatGlm {
        let shape = Shape { layers: 3, hidden: 32, heads: 2, vocab: 100 };
        shape.random(&Device::Cpu, DType::F32.into()).unwrap()
    }

    fn adapter(model: &ChatGlm) -> Arc<Adapter> {
        let (options, targets) = (LoraOptions::default(), [Target::QueryKeyValue]);
        Arc::new(Adapter::initialize(options, &targets, model.config(), 5, &Device::Cpu).unwrap())
    }

    /// An answer to a prompt of `tokens` tokens in all.
    fn begin(
        model: &ChatGlm,
        memory: &ChatMemory,
        adapter: Option<&Arc<Adapter>>,
        tokens: u32,
        seed: u64,
    ) -> Generation {
        let prompt = (2..tokens).map(|at| at * 7 % 90).chain([SPECIAL.gmask, SPECIAL.sop]);
        let sampling = SamplingOptions { seed, ..SamplingOptions::default() };
        let ids = prompt.collect();
        Generation::new(model, memory, adapter.cloned(), ids, SPECIAL, sampling, 90).unwrap()
    }

    fn written(model: &ChatGlm, mut generation: Generation) -> Vec<u32> {
        while generation.next_token(model).unwrap().is_some() {}
        generation.answer().to_vec()
    }

    /// The scores of the first tokens, whatever is picked, to the bit.
    fn scores(model: &ChatGlm, generation: &mut Generation) -> Vec<u32> {
        let mut all = vec![generation.read_prompt(model).unwrap()];
        for token in 3..9 {
            generation.take(token);
            generation.reserve_newest().unwrap();
            let hidden = model.hidden_states_of_chats(&mut [generation.newest()]).unwrap();
            all.push(model.logits(&hidden).unwrap());
        }
        let all = Tensor::cat(&all, 0).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        all.into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn a_prompt_that_is_asked_again_scores_as_one_that_is_read_and_shares_its_pages() {
        let model = model();
        for tokens in [3, 64, 100, 127, 128] {
            let memory = ChatMemory::new(&model);
            let mut first = begin(&model, &memory, None, tokens, 1);
            let wanted = scores(&model, &mut first);
            let alone = memory.pages().in_use;

            let mut again = begin(&model, &memory, None, tokens, 2);
            assert!(memory.find(again.prompt(), None).is_some());
            assert!(scores(&model, &mut again) == wanted, "{tokens} tokens");

            let full = tokens as usize / PAGE_TOKENS;
            let grown = (tokens as usize + 6).div_ceil(PAGE_TOKENS);
            assert_eq!(memory.pages().in_use, alone + grown - full, "{tokens} tokens");
        }
    }

    #[test]
    fn only_the_very_prompt_with_the_very_adapter_is_used_again() {
        let model = model();
        let memory = ChatMemory::new(&model);
        let [one, other] = [adapter(&model), adapter(&model)];
        let generation = begin(&model, &memory, Some(&one), 70, 1);
        let prompt = generation.prompt().to_vec();
        written(&model, generation);

        assert!(memory.find(&prompt, Some(&one)).is_some());
        assert!(memory.find(&prompt, Some(&other)).is_none());
        assert!(memory.find(&prompt, None).is_none());
        assert!(memory.find(&prompt[..69], Some(&one)).is_none());

        memory.forget(&one);
        assert!(memory.find(&prompt, Some(&one)).is_none());
        assert_eq!(memory.pages().in_use, 0);
    }

    #[test]
    fn remembered_prompts_are_let_go_for_whoever_needs_the_memory() {
        let model = model();
        let memory = ChatMemory::new(&model);
        written(&model, begin(&model, &memory, None, 70, 1));
        assert_eq!(memory.pages().in_use, memory.remembered_pages());

        assert!(memory.let_go());

        assert_eq!((memory.pages().in_use, memory.remembered_pages()), (0, 0));
        assert!(!memory.let_go());
    }

    #[test]
    fn what_was_read_goes_with_its_adapter_and_the_oldest_prompt_first() {
        let model = model();
        let memory = ChatMemory::new(&model);
        let gone = adapter(&model);
        written(&model, begin(&model, &memory, Some(&gone), 70, 1));
        drop(gone);
        let prompts: Vec<_> = (0..40u32)
            .map(|more| {
                let mut generation = begin(&model, &memory, None, 70 + more, 1);
                generation.next_token(&model).unwrap();
                generation.prompt().to_vec()
            })
            .collect();

        assert_eq!(memory.remembered_pages(), MOST_REMEMBERED);
        assert_eq!(memory.pages().in_use, MOST_REMEMBERED);
        let remembered = MOST_REMEMBERED / 2; // of two pages each
        for (place, prompt) in prompts.iter().enumerate() {
            let is_there = memory.find(prompt, None).is_some();
            assert_eq!(is_there, place >= prompts.len() - remembered, "{place}");
        }
    }

    #[test]
    fn who_gets_no_page_fails_alone_and_pages_come_back() {
        let model = model();
        let chats = [(60, 1), (50, 2)];
        let wanted = chats.map(|(tokens, seed)| {
            written(&model, begin(&model, &ChatMemory::new(&model), None, tokens, seed))
        });
        let memory = ChatMemory::of(model.page_pool(Some(3)));
        let [mut first, mut second] =
            chats.map(|(tokens, seed)| begin(&model, &memory, None, tokens, seed));
        for _ in 0..15 {
            let mut large = begin(&model, &memory, None, 200, 3);
            let next = next_tokens(&model, &mut [&mut first, &mut large, &mut second]);
            assert!(matches!(
                next[..],
                [Ok(Some(_)), Err(GenerationError::Memory(_)), Ok(Some(_))]
            ));
        }
        // Of three pages the first has two by now, and the second's is full.
        let next = next_tokens(&model, &mut [&mut first, &mut second]);
        assert!(matches!(next[..], [Ok(Some(_)), Err(GenerationError::Memory(_))]));
        assert_eq!(second.answer(), &wanted[1][..15]);
        assert_eq!(first.answer(), &wanted[0][..16]);

        drop(first);
        while second.next_token(&model).unwrap().is_some() {}
        assert_eq!(second.answer(), wanted[1], "it goes on where it was");
        drop(second);
        assert_eq!(memory.pages().in_use, memory.remembered_pages());
    }
}
