//! A prompt and then token by token through the cache, against the whole sequence at once.

use candle_core::{DType, Device, Tensor};
use weft::{
    chatglm::{ChatGlm, Input, Pass},
    lora::{Adapter, Target},
    ops::{AttentionMask, KvCache, MaskRow, PositionIds, Quantization},
};

use crate::{TYPES, assert_near, gpu, model};

const PROMPT: usize = 70;
const ANSWER: usize = 9;

/// Tokens `from..to` of one sequence.
fn input(from: usize, to: usize, device: &Device) -> Input {
    let ids: Vec<u32> = (from..to).map(|i| (i * 53 % 200) as u32).collect();
    let text = (from..to).map(|i| i.min(PROMPT - 2) as u32);
    let block = (from..to).map(|i| (i + 2).saturating_sub(PROMPT) as u32);
    let seq = to - from;
    Input {
        input_ids: Tensor::from_vec(ids, (1, seq), device).unwrap(),
        position_ids: PositionIds { batch: 1, rows: 2, seq, ids: text.chain(block).collect() },
        attention_mask: AttentionMask::new(vec![MaskRow { padding: 0, context: PROMPT - 1 }]),
    }
}

/// Scores `[ANSWER, vocab]` after each token of the answer.
fn token_by_token(model: &ChatGlm, adapter: &Adapter) -> Tensor {
    let device = model.device();
    let pass = Pass { adapter: Some(adapter), ..Pass::default() };
    let mut cache = KvCache::new(&model.page_pool(None));
    model.hidden_states_cached(&input(0, PROMPT, device), pass, &mut cache).unwrap();
    let scores: Vec<Tensor> = (PROMPT..PROMPT + ANSWER)
        .map(|i| {
            let token = input(i, i + 1, device);
            let hidden = model.hidden_states_cached(&token, pass, &mut cache).unwrap();
            model.logits(&hidden).unwrap().flatten(0, 1).unwrap()
        })
        .collect();
    Tensor::cat(&scores, 0).unwrap()
}

#[test]
fn tokens_one_by_one_score_as_all_at_once_on_the_processor() {
    for (dtype, bound) in TYPES {
        let dense = [(None, 32, 3), (None, 64, 8), (None, 128, 11)];
        let few_bits = Quantization::ALL.map(|form| (Some(form), 64, 8));
        for (form, head, r) in dense.into_iter().chain(few_bits) {
            let slow = model::model_in(form, head, dtype, &Device::Cpu, DType::F32);
            let fast = model::model_in(form, head, dtype, gpu(), dtype);
            let adapter =
                |device| model::adapter(r, &[Target::QueryKeyValue], slow.config(), device);

            let cpu = adapter(&Device::Cpu);
            let pass = Pass { adapter: Some(&cpu), ..Pass::default() };
            let all = input(0, PROMPT + ANSWER, &Device::Cpu);
            let hidden = slow.hidden_states(&all, pass).unwrap();
            let wanted = slow.logits(&hidden.narrow(1, PROMPT, ANSWER).unwrap()).unwrap();
            let found = token_by_token(&fast, &adapter(gpu()));

            let what = format!("scores, {form:?}, heads of {head}, rank {r}, {dtype:?}");
            assert_near(&what, &found, &wanted.squeeze(0).unwrap(), 3.0 * bound);
        }
    }
}
