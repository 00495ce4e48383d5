//! The next token of several answers in one pass over the model.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Generation, GenerationError, Sampler};
use crate::chatglm::ChatGlm;

type Next = Result<Option<u32>, GenerationError>;

/// The next token of each answer, `None` where it has ended. Answers whose prompt is read take one pass together, each
/// prompt takes one of its own.
///
/// What fails, fails alone: after an error or a panic of the pass for all, each answer is tried by itself.
pub fn next_tokens(model: &ChatGlm, answers: &mut [&mut Generation]) -> Vec<Next> {
    let mut next: Vec<Option<Next>> = Vec::new();
    let mut together = Vec::new();
    for answer in answers.iter_mut() {
        let alone = !answer.has_read_prompt() || answer.has_ended();
        next.push(alone.then(|| guarded(answer, |answer| answer.next_token(model))));
        if !alone {
            together.push(&mut **answer);
        }
    }
    let mut rest = step(model, &mut together).into_iter();
    let found = next.into_iter().map(|next| next.or_else(|| rest.next()));
    found.map(|next| next.unwrap_or(Err(GenerationError::Broken))).collect()
}

fn step(model: &ChatGlm, answers: &mut [&mut Generation]) -> Vec<Next> {
    if answers.len() > 1 {
        let read: Vec<_> = answers.iter().map(|answer| answer.cache.len()).collect();
        match catch_unwind(AssertUnwindSafe(|| pass(model, answers))) {
            Ok(Ok(next)) => return next.into_iter().map(Ok).collect(),
            Ok(Err(error)) => tracing::warn!("a pass for several answers failed: {error}"),
            // What it was has been printed by the panic.
            Err(_) => {}
        }
        for (answer, read) in answers.iter_mut().zip(read) {
            answer.cache.truncate(read);
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
