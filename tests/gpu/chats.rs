//! A token of each of several chats in one pass, each with a cache and an adapter of its own, against each chat alone on
//! the processor.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use weft::{
    chatglm::{ChatGlm, ChatGlmConfig, ChatToken, Input, Pass},
    generation::{ChatMemory, Generation, SamplingOptions, next_tokens},
    lora::{Adapter, Target},
    ops::{AttentionMask, KvCache, MaskRow, PositionIds, Quantization},
};
use weft_shared::tokenizer::SpecialIds;

use crate::{TYPES, assert_near, gpu, model};

const ANSWER: usize = 6;

/// Tokens of the prompt, and the adapter's rank; some caches get a page in mid-answer, some keys are shared by several
/// blocks, those of the last by as many as there can be.
const CHATS: [(usize, Option<usize>); 6] =
    [(70, Some(3)), (5, None), (62, Some(8)), (200, Some(11)), (33, Some(8)), (1100, Some(4))];

struct Chat {
    prompt: usize,
    seed: usize,
    adapter: Option<Adapter>,
    cache: KvCache,
}

impl Chat {
    fn token(&self, at: usize) -> u32 {
        ((at * 53 + self.seed * 17) % 200) as u32
    }

    fn positions(&self, at: usize) -> [u32; 2] {
        [at.min(self.prompt - 2) as u32, (at + 2).saturating_sub(self.prompt) as u32]
    }

    /// The prompt's and the answer's tokens, all at once.
    fn input(&self, tokens: usize, device: &Device) -> Input {
        let ids: Vec<u32> = (0..tokens).map(|at| self.token(at)).collect();
        let row = |row: usize| (0..tokens).map(move |at| self.positions(at)[row]);
        Input {
            input_ids: Tensor::from_vec(ids, (1, tokens), device).unwrap(),
            position_ids: PositionIds {
                batch: 1,
                rows: 2,
                seq: tokens,
                ids: row(0).chain(row(1)).collect(),
            },
            attention_mask: AttentionMask::new(vec![MaskRow {
                padding: 0,
                context: self.prompt - 1,
            }]),
        }
    }

    fn pass(&self) -> Pass<'_> {
        Pass { adapter: self.adapter.as_ref(), ..Pass::default() }
    }
}

fn chats(model: &ChatGlm, targets: &[Target], count: usize) -> Vec<Chat> {
    let pool = model.page_pool(None);
    let each =
        CHATS.into_iter().cycle().take(count).enumerate().map(|(seed, (prompt, rank))| Chat {
            prompt,
            seed,
            adapter: rank.map(|r| model::adapter(r, targets, model.config(), model.device())),
            cache: KvCache::new(&pool),
        });
    each.collect()
}

/// Scores `[ANSWER, vocab]` of each chat, all of them in each pass.
fn together(model: &ChatGlm, targets: &[Target], count: usize) -> Vec<Tensor> {
    let mut chats = chats(model, targets, count);
    for chat in &mut chats {
        let prompt = chat.input(chat.prompt, model.device());
        let adapter = chat.adapter.clone();
        let pass = Pass { adapter: adapter.as_ref(), ..Pass::default() };
        model.hidden_states_cached(&prompt, pass, &mut chat.cache).unwrap();
    }
    let steps: Vec<Tensor> = (0..ANSWER)
        .map(|step| {
            let mut tokens: Vec<ChatToken> = chats
                .iter_mut()
                .map(|chat| {
                    let at = chat.prompt + step;
                    ChatToken {
                        id: chat.token(at),
                        positions: chat.positions(at).to_vec(),
                        adapter: chat.adapter.as_ref(),
                        cache: &mut chat.cache,
                    }
                })
                .collect();
            let hidden = model.hidden_states_of_chats(&mut tokens).unwrap();
            model.logits(&hidden).unwrap() // [chats, 1, vocab]
        })
        .collect();
    let scores = Tensor::cat(&steps, 1).unwrap(); // [chats, ANSWER, vocab]
    (0..count).map(|chat| scores.get(chat).unwrap()).collect()
}

fn assert_chats_are_alone(
    form: Option<Quantization>,
    head: usize,
    (dtype, bound): (DType, f32),
    targets: &[Target],
    count: usize,
) {
    let slow = model::model_in(form, head, dtype, &Device::Cpu, DType::F32);
    let fast = model::model_in(form, head, dtype, gpu(), dtype);
    let what = format!("{form:?}, heads of {head}, {dtype:?}, {} targets", targets.len());
    assert_same_scores(&what, [&slow, &fast], bound, targets, count);
}

fn assert_same_scores(
    what: &str,
    [slow, fast]: [&ChatGlm; 2],
    bound: f32,
    targets: &[Target],
    count: usize,
) {
    let found = together(fast, targets, count);

    for (chat, found) in chats(slow, targets, count).iter().zip(found) {
        let input = chat.input(chat.prompt + ANSWER, &Device::Cpu);
        let hidden = slow.hidden_states(&input, chat.pass()).unwrap();
        let wanted = slow.logits(&hidden.narrow(1, chat.prompt, ANSWER).unwrap()).unwrap();
        let what = format!("{} of {count} chats, {what}", chat.seed);
        assert_near(&what, &found, &wanted.squeeze(0).unwrap(), 3.0 * bound);
    }
}

#[test]
fn chats_in_one_pass_score_as_each_alone_on_the_processor() {
    for of_type in TYPES {
        for head in [32, 64, 128] {
            for count in [1, 2, CHATS.len()] {
                assert_chats_are_alone(None, head, of_type, &[Target::QueryKeyValue], count);
            }
        }
    }
}

#[test]
fn so_do_chats_of_a_base_in_few_bits() {
    for form in Quantization::ALL {
        for of_type in TYPES {
            // Eight, sixteen and 32 are computed at a time.
            for count in [1, 2, 12, 40] {
                assert_chats_are_alone(Some(form), 64, of_type, &[Target::QueryKeyValue], count);
            }
        }
    }
}

#[test]
fn so_do_chats_of_a_base_in_few_bits_whose_rows_fill_nothing_evenly() {
    // Rows of 1,056 and of 4,224 inputs: more than a block of the kernel holds. The first are read as they are where they
    // have one scale, and made numbers where every 32 inputs have one.
    let config = || ChatGlmConfig::of_shape(1, 1056, 33, 200);
    let (dtype, bound) = TYPES[0];
    for form in Quantization::ALL {
        let slow = model::model_of(config(), Some(form), dtype, &Device::Cpu, DType::F32);
        let fast = model::model_of(config(), Some(form), dtype, gpu(), dtype);
        for count in [1, 3] {
            let what = format!("{form:?}, odd sizes");
            let models = [&slow, &fast];
            assert_same_scores(&what, models, bound, &[Target::QueryKeyValue], count);
        }
    }
}

#[test]
fn so_do_chats_of_a_base_as_wide_as_chatglm_6b() {
    // Each warp has more rows than one, and reads more of each than it has on its way at a time.
    let config = || ChatGlmConfig::of_shape(1, 4096, 32, 17_000);
    let (dtype, bound) = TYPES[0];
    for form in [None, Some(Quantization::Int4), Some(Quantization::Q8_0)] {
        let slow = model::model_of(config(), form, dtype, &Device::Cpu, DType::F32);
        let fast = model::model_of(config(), form, dtype, gpu(), dtype);
        for count in [1, 3, 33] {
            let what = format!("{form:?}, as wide as ChatGLM-6B");
            let models = [&slow, &fast];
            assert_same_scores(&what, models, bound, &[Target::QueryKeyValue], count);
        }
    }
}

#[test]
fn chats_that_share_a_prompt_answer_the_same_in_one_pass() {
    let (dtype, _) = TYPES[0];
    let model = model::model_in(Some(Quantization::Int4), 64, dtype, gpu(), dtype);
    let targets = &[Target::QueryKeyValue];
    let adapter = Arc::new(model::adapter(8, targets, model.config(), model.device()));
    let special = SpecialIds { mask: 191, gmask: 192, sop: 193, eop: 194, pad: 195 };
    let memory = ChatMemory::new(&model);
    let begin = |tokens: u32| {
        let prompt = (0..tokens).map(|at| at * 7 % 190).chain([special.gmask, special.sop]);
        let sampling = SamplingOptions { greedy: true, ..SamplingOptions::default() };
        let adapter = Some(adapter.clone());
        Generation::new(&model, &memory, adapter, prompt.collect(), special, sampling, 100).unwrap()
    };
    let [mut first, mut again, mut other] = [100, 100, 61].map(begin);

    next_tokens(&model, &mut [&mut first, &mut other, &mut again]);
    assert_eq!(memory.pages().in_use, 2 + 1, "two chats have two pages together");
    for _ in 0..90 {
        next_tokens(&model, &mut [&mut first, &mut other, &mut again]);
    }

    assert_eq!(first.answer(), again.answer());
}

#[test]
fn so_do_chats_whose_adapters_are_on_other_layers_too() {
    for (form, targets) in [
        (None, &Target::ALL[..]),
        (None, &[Target::DenseHTo4h]),
        (None, &[Target::Dense, Target::Dense4hToH]),
        (Some(Quantization::Int4), &Target::ALL),
    ] {
        for of_type in TYPES {
            for count in [1, 2, CHATS.len()] {
                assert_chats_are_alone(form, 64, of_type, targets, count);
            }
        }
    }
}

#[test]
fn a_shared_cache_scores_as_the_one_that_was_read_to_the_bit() {
    let (dtype, _) = TYPES[0];
    let model = model::model_in(None, 64, dtype, gpu(), dtype);
    let pool = model.page_pool(None);
    for prompt in [30, 64, 100] {
        let mut chat = Chat { prompt, seed: 1, adapter: None, cache: KvCache::new(&pool) };
        let input = chat.input(prompt, gpu());
        model.hidden_states_cached(&input, Pass::default(), &mut chat.cache).unwrap();
        let again = Chat { prompt, seed: 1, adapter: None, cache: chat.cache.share() };

        let [first, second] = [chat, again].map(|mut chat| {
            let steps: Vec<Tensor> = (prompt..prompt + ANSWER)
                .map(|at| {
                    let (id, positions) = (chat.token(at), chat.positions(at).to_vec());
                    let token = ChatToken { id, positions, adapter: None, cache: &mut chat.cache };
                    let hidden = model.hidden_states_of_chats(&mut [token]).unwrap();
                    model.logits(&hidden).unwrap()
                })
                .collect();
            let scores = Tensor::cat(&steps, 1).unwrap().flatten_all().unwrap();
            scores.to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect::<Vec<u32>>()
        });

        assert!(first == second, "{prompt} tokens");
        assert_eq!(pool.counts().in_use, 0);
    }
}
