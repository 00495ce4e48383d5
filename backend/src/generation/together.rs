//! The next token of several answers in one pass over the model.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Generation, GenerationError, Sampler};
use crate::chatglm::ChatGlm;

type Next = Result<Option<u32>, GenerationError>;

/// The next token of each answer, `None` where it has ended. Answers whose prompt is read take one pass together, each
/// prompt takes one of its own.
///
/// What fails, fails alone: who gets no memory for a token more is not in the pass, and after an error or a panic of the
/// pass for all, each answer is tried by itself.
pub fn next_tokens(model: &ChatGlm, answers: &mut [&mut Generation]) -> Vec<Next> {
    let mut next: Vec<Option<Next>> = Vec::new();
    let mut together = Vec::new();
    for answer in answers.iter_mut() {
        if !answer.has_begun() || answer.has_ended() {
            next.push(Some(guarded(answer, |answer| answer.next_token(model))));
        } else if let Err(error) = answer.reserve_newest() {
            next.push(Some(Err(error.into())));
        } else {
            next.push(None);
            together.push(&mut **answer);
        }
    }
    let mut rest = step(model, &mut together).into_iter();
    let found = next.into_iter().map(|next| next.or_else(|| rest.next()));
    found.map(|next| next.unwrap_or(Err(GenerationError::Broken))).collect()
}

fn step(model: &ChatGlm, answers: &mut [&mut Generation]) -> Vec<Next> {
    if answers.len() > 1 {
        match catch_unwind(AssertUnwindSafe(|| pass(model, answers))) {
            Ok(Ok(next)) => return next.into_iter().map(Ok).collect(),
            Ok(Err(error)) => tracing::warn!("a pass for several answers failed: {error}"),
            // What it was has been printed by the panic.
            Err(_) => {}
        }
    }
    answers.iter_mut().map(|answer| guarded(answer, |answer| answer.next_token(model))).collect()
}

/// All in one pass.
fn pass(
    model: &ChatGlm,
    answers: &mut [&mut Generation],
) -> Result<Vec<Option<u32>>, GenerationError> {
    let mut newest: Vec<_> = answers.iter_mut().map(|answer| answer.newest()).collect();
    let hidden = model.hidden_states_of_chats(&mut newest)?; // [chats, 1, model]
    let logits = model.logits(&hidden)?.flatten(0, 1)?; // [chats, vocab]
    let mut sampling: Vec<_> = answers.iter_mut().map(|answer| answer.sampling()).collect();
    let picked = Sampler::pick_rows(&logits, &mut sampling)?;
    Ok(answers.iter_mut().zip(picked).map(|(answer, token)| answer.take(token)).collect())
}

fn guarded(answer: &mut Generation, work: impl FnOnce(&mut Generation) -> Next) -> Next {
    // Whoever gets an error lets go of the answer.
    catch_unwind(AssertUnwindSafe(|| work(answer))).unwrap_or(Err(GenerationError::Broken))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use candle_core::{DType, Device, Tensor};
    use weft_shared::{tokenizer::SpecialIds, training::LoraOptions};

    use super::*;
    use crate::{
        bench::Shape,
        chatglm::{Input, Pass},
        generation::{ChatMemory, SamplingOptions},
        lora::{Adapter, LoraWeights, Target},
        ops::{AttentionMask, MaskRow, PositionIds},
    };

    const SPECIAL: SpecialIds = SpecialIds { mask: 91, gmask: 92, sop: 93, eop: 94, pad: 95 };

    fn model() -> ChatGlm {
        let shape = Shape { layers: 3, hidden: 32, heads: 2, vocab: 100 };
        shape.random(&Device::Cpu, DType::F32.into()).unwrap()
    }

    /// An adapter that changes what is said.
    fn adapter(model: &ChatGlm, r: usize, targets: &[Target]) -> Arc<Adapter> {
        let options = LoraOptions { r, ..LoraOptions::default() };
        let fresh =
            Adapter::initialize(options.clone(), targets, model.config(), 5, &Device::Cpu).unwrap();
        let weights = fresh.iter().map(|(layer, target, LoraWeights { a, b })| {
            let b = Tensor::randn(0f32, 0.3, b.dims(), &Device::Cpu).unwrap();
            ((layer, target), LoraWeights { a: a.clone(), b })
        });
        Arc::new(Adapter::new(options, weights.collect()))
    }

    fn prompt(tokens: u32) -> Vec<u32> {
        (0..tokens).map(|at| (at * 7 + tokens) % 90).chain([SPECIAL.gmask, SPECIAL.sop]).collect()
    }

    fn begin(
        model: &ChatGlm,
        adapter: Option<&Arc<Adapter>>,
        tokens: u32,
        max_tokens: usize,
    ) -> Generation {
        let memory = ChatMemory::new(model);
        begin_in(&memory, model, adapter, tokens, max_tokens)
    }

    fn begin_in(
        memory: &ChatMemory,
        model: &ChatGlm,
        adapter: Option<&Arc<Adapter>>,
        tokens: u32,
        max_tokens: usize,
    ) -> Generation {
        let sampling = SamplingOptions { greedy: true, ..SamplingOptions::default() };
        Generation::new(
            model,
            memory,
            adapter.cloned(),
            prompt(tokens),
            SPECIAL,
            sampling,
            max_tokens,
        )
        .unwrap()
    }

    fn alone(model: &ChatGlm, mut generation: Generation) -> Vec<u32> {
        while generation.next_token(model).unwrap().is_some() {}
        generation.answer().to_vec()
    }

    /// Scores of the token after all ids, by a pass over the whole sequence without a cache.
    fn scores(model: &ChatGlm, generation: &Generation) -> Vec<f32> {
        let read = generation.ids.len();
        let rows = generation.positions.prompt().rows().to_vec();
        let more = (0..read - generation.prompt_length)
            .map(|step| generation.positions.generated(step).rows().concat());
        let mut rows: Vec<Vec<u32>> = rows;
        for positions in more {
            rows.iter_mut().zip(positions).for_each(|(row, position)| row.push(position));
        }
        let context = generation.positions.context_length();
        let input = Input {
            input_ids: Tensor::new(generation.ids.as_slice(), &Device::Cpu)
                .unwrap()
                .unsqueeze(0)
                .unwrap(),
            position_ids: PositionIds { batch: 1, rows: 2, seq: read, ids: rows.concat() },
            attention_mask: AttentionMask::new(vec![MaskRow { padding: 0, context }]),
        };
        let pass = Pass { adapter: generation.adapter.as_deref(), ..Pass::default() };
        let hidden = model.hidden_states(&input, pass).unwrap();
        let last = hidden.narrow(1, read - 1, 1).unwrap().contiguous().unwrap();
        model.logits(&last).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn chats_in_one_pass_score_as_each_of_them_alone() {
        let model = model();
        let adapters = [
            adapter(&model, 8, &[Target::QueryKeyValue]),
            adapter(&model, 3, &Target::ALL),
            adapter(&model, 2, &[Target::DenseHTo4h, Target::Dense]),
        ];
        let chats = [
            (3, Some(&adapters[0])),
            (61, None),
            (17, Some(&adapters[1])),
            (5, Some(&adapters[2])),
            (140, Some(&adapters[0])),
        ];
        let mut chats = chats.map(|(tokens, adapter)| begin(&model, adapter, tokens, 50));
        for chat in &mut chats {
            chat.next_token(&model).unwrap();
        }

        // Some caches grow in between.
        for step in 0..10 {
            let mut newest: Vec<_> = chats.iter_mut().map(Generation::newest).collect();
            let hidden = model.hidden_states_of_chats(&mut newest).unwrap();
            let found = model.logits(&hidden).unwrap().flatten(0, 1).unwrap();
            for (row, chat) in chats.iter_mut().enumerate() {
                let found: Vec<f32> = found.get(row).unwrap().to_vec1().unwrap();
                for (token, (found, wanted)) in found.iter().zip(scores(&model, chat)).enumerate() {
                    assert!(
                        (found - wanted).abs() < 1e-5,
                        "step {step}, chat {row}, token {token}: {found}, alone {wanted}"
                    );
                }
                chat.take((step * 13 + row as u32 * 5) % 90);
            }
        }
    }

    #[test]
    fn a_chat_that_joins_or_leaves_changes_no_other() {
        let model = model();
        let adapters = [1, 8].map(|r| adapter(&model, r, &[Target::QueryKeyValue]));
        let all = || {
            [(4, None), (30, Some(0)), (11, Some(1)), (62, None)].map(|(tokens, adapter)| {
                begin(&model, adapter.map(|at: usize| &adapters[at]), tokens, 12)
            })
        };
        let wanted = all().map(|chat| alone(&model, chat));

        let [mut first, mut second, mut third, mut fourth] = all();
        next_tokens(&model, &mut [&mut first]);
        for _ in 0..3 {
            next_tokens(&model, &mut [&mut first, &mut second]);
        }
        for _ in 0..4 {
            next_tokens(&model, &mut [&mut third, &mut first, &mut second]);
        }
        for _ in 0..20 {
            next_tokens(&model, &mut [&mut first, &mut third, &mut fourth]);
        }

        let answers = [&first, &third, &fourth].map(|chat| chat.answer().to_vec());
        assert_eq!(answers, [0, 2, 3].map(|at| wanted[at].clone()));
        assert_eq!(second.answer(), &wanted[1][..7]);
        assert!(first.finish().is_some() && third.finish().is_some());
    }

    /// As where scores, or the choice among them, find no memory: the caches have counted what no answer has taken.
    #[test]
    fn a_pass_that_fails_at_its_end_leaves_no_trace() {
        let model = model();
        let wanted = [9, 63].map(|tokens| alone(&model, begin(&model, None, tokens, 8)));
        let [mut first, mut second] = [9, 63].map(|tokens| begin(&model, None, tokens, 8));
        first.read_prompt(&model).unwrap();
        for _ in 0..2 {
            next_tokens(&model, &mut [&mut first, &mut second]);
        }
        for _ in 0..3 {
            let mut newest = [first.newest(), second.newest()];
            model.hidden_states_of_chats(&mut newest).unwrap();
        }

        next_tokens(&model, &mut [&mut first, &mut second]);

        assert_eq!([first, second].map(|chat| alone(&model, chat)), wanted);
    }

    #[test]
    fn a_chat_that_fails_fails_alone() {
        let model = model();
        let good = adapter(&model, 4, &[Target::QueryKeyValue]);
        let wanted = alone(&model, begin(&model, Some(&good), 9, 8));
        let mut first = begin(&model, Some(&good), 9, 8);
        let mut broken = begin(&model, None, 20, 8);
        for _ in 0..2 {
            next_tokens(&model, &mut [&mut first, &mut broken]);
        }

        // In the last block, when all caches have grown.
        let mut weights: std::collections::BTreeMap<_, _> = good
            .iter()
            .map(|(layer, target, weights)| ((layer, target), weights.clone()))
            .collect();
        let wrong = Tensor::zeros((4, 7), DType::F32, &Device::Cpu).unwrap();
        weights.get_mut(&(2, Target::QueryKeyValue)).unwrap().a = wrong;
        broken.adapter = Some(Arc::new(Adapter::new(good.options().clone(), weights)));

        let next = next_tokens(&model, &mut [&mut first, &mut broken]);

        assert!(matches!(next[0], Ok(Some(_))), "{next:?}");
        assert!(matches!(next[1], Err(GenerationError::Compute(_))), "{next:?}");
        while let Ok(Some(_)) = next_tokens(&model, &mut [&mut first])[0] {}
        assert_eq!(first.answer(), wanted);
    }
}
