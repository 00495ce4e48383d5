//! Greedy answers to the same questions again and again while a run goes on: what it has learned, for people to see.

use std::sync::Arc;

use weft_shared::{
    api::job::SampleAnswer,
    manifest::Manifest,
    pair::{Pair, Turn},
};

use super::JobsError;
use crate::{
    chat::{Answer, Template},
    engine::{self, Engine},
    generation::{GenerationError, SamplingOptions},
    lora::Adapter,
    training_set::TrainingSet,
};

/// Held-out questions that are answered besides the pinned ones.
const HELD_OUT_QUESTIONS: usize = 3;
/// Enough to see what an answer is about.
const LONGEST_ANSWER: usize = 64;

/// The questions, and the base's answers.
pub(super) struct Answers<'a> {
    engine: &'a Engine,
    questions: Vec<Question>,
}

struct Question {
    history: Vec<Turn>,
    text: String,
    wanted: Option<String>,
    /// Computed the first time.
    base: Option<String>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        pinned: Vec<String>,
        manifest: &Manifest,
        set: &TrainingSet,
    ) -> Self {
        let pairs = &manifest.dataset.pairs;
        let of_pair = |pair: &Pair| {
            let (history, question) = pair.conversation();
            Question { history, text: question, wanted: Some(pair.answer.clone()), base: None }
        };
        let pinned = pinned.into_iter().map(|question| {
            // A question of the dataset's own: the wanted answer is known.
            let pair = pairs.iter().find(|it| it.question == question && it.history.is_empty());
            pair.map_or_else(
                || Question { history: Vec::new(), text: question, wanted: None, base: None },
                of_pair,
            )
        });
        let held_out = set.held_out.pairs.iter().take(HELD_OUT_QUESTIONS);
        let held_out = held_out.map(|&index| of_pair(&pairs[index]));
        Self { engine, questions: pinned.chain(held_out).collect() }
    }

    /// The answers with `adapter` as it is now; `None` as soon as `stops` says so. All are written at once.
    pub(super) fn now(
        &mut self,
        adapter: Option<&Adapter>,
        stops: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<SampleAnswer>>, JobsError> {
        let (engine, adapter) = (self.engine, adapter.cloned().map(Arc::new));
        let ask = |question: &Question, adapter| {
            let form = Form { template: Template::Training, max_tokens: LONGEST_ANSWER };
            form.ask(engine, adapter, (&question.history, &question.text))
        };
        let writing = self.questions.iter().map(|question| {
            let base = question.base.is_none().then(|| ask(question, None)).transpose()?;
            Ok((base, ask(question, adapter.as_ref())?))
        });
        let writing = writing.collect::<Result<Vec<_>, GenerationError>>()?;
        let mut answers = Vec::new();
        for (question, (base, answer)) in self.questions.iter_mut().zip(writing) {
            if let Some(base) = base {
                question.base = read_out(base, stops)?;
            }
            let (Some(base), Some(answer)) = (&question.base, read_out(answer, stops)?) else {
                return Ok(None);
            };
            answers.push(SampleAnswer {
                question: question.text.clone(),
                answer,
                base: base.clone(),
                wanted: question.wanted.clone(),
            });
        }
        Ok(Some(answers))
    }
}

/// How questions are put, and how long an answer may be.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) template: Template,
    pub(super) max_tokens: usize,
}

impl Form {
    /// Has a question after its history answered greedily.
    pub(super) fn ask<'a>(
        self,
        engine: &'a Engine,
        adapter: Option<&Arc<Adapter>>,
        (history, question): (&[Turn], &str),
    ) -> Result<Answer<'a>, GenerationError> {
        let question = engine::Question {
            history: history.to_vec(),
            text: question.to_owned(),
            template: self.template,
            sampling: SamplingOptions { greedy: true, ..SamplingOptions::default() },
            max_tokens: self.max_tokens,
        };
        engine.answer(&question, adapter)
    }
}

/// The whole answer; `None` as soon as `stops` says so.
pub(super) fn read_out(
    mut answer: Answer,
    stops: &dyn Fn() -> bool,
) -> Result<Option<String>, GenerationError> {
    let mut text = String::new();
    while !stops() {
        match answer.next_text()? {
            Some(piece) => text += &piece,
            None => return Ok(Some(text)),
        }
    }
    Ok(None)
}
