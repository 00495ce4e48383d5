//! Greedy answers to the same questions again and again while a run goes on: what it has learned, for people to see.

use weft_shared::{
    api::job::SampleAnswer,
    manifest::Manifest,
    pair::{Pair, Turn},
};

use super::JobsError;
use crate::{
    chat::{Chat, Template},
    engine::Engine,
    generation::SamplingOptions,
    lora::Adapter,
    training_set::TrainingSet,
};

/// Held-out questions that are answered besides the pinned ones.
const HELD_OUT_QUESTIONS: usize = 3;
/// Enough to see what an answer is about.
const LONGEST_ANSWER: usize = 64;
/// Tokens between which others may have the device.
const SLICE: usize = 8;

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

    /// The answers with `adapter` as it is now; `None` as soon as `stops` says so.
    pub(super) fn now(
        &mut self,
        adapter: Option<&Adapter>,
        stops: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<SampleAnswer>>, JobsError> {
        let mut answers = Vec::new();
        for question in &mut self.questions {
            if question.base.is_none() {
                question.base = question.ask(self.engine, None, stops)?;
            }
            let answer = question.ask(self.engine, adapter, stops)?;
            let (Some(base), Some(answer)) = (&question.base, answer) else { return Ok(None) };
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

impl Question {
    /// The answer in the form that pairs are trained in.
    fn ask(
        &self,
        engine: &Engine,
        adapter: Option<&Adapter>,
        stops: &dyn Fn() -> bool,
    ) -> Result<Option<String>, JobsError> {
        let form = Form { template: Template::Training, max_tokens: LONGEST_ANSWER };
        form.ask(engine, adapter, (&self.history, &self.text), stops)
    }
}

/// How questions are put, and how long an answer may be.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) template: Template,
    pub(super) max_tokens: usize,
}

impl Form {
    /// The greedy answer to a question after its history, in turns with others; `None` as soon as `stops` says so.
    pub(super) fn ask(
        self,
        engine: &Engine,
        adapter: Option<&Adapter>,
        (history, question): (&[Turn], &str),
        stops: &dyn Fn() -> bool,
    ) -> Result<Option<String>, JobsError> {
        let chat = Chat {
            model: engine.model(),
            adapter,
            tokenizer: engine.tokenizer(),
            templates: engine.templates(),
        };
        let sampling = SamplingOptions { greedy: true, ..SamplingOptions::default() };
        let mut answer =
            chat.answer(history, question, self.template, sampling, self.max_tokens)?;
        let mut text = String::new();
        while !stops() {
            let _turn = engine.turns().take();
            for _ in 0..SLICE {
                match answer.next_text()? {
                    Some(piece) => text += &piece,
                    None => return Ok(Some(text)),
                }
            }
        }
        Ok(None)
    }
}
