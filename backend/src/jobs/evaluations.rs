//! Evaluations of a server: a thread of their own, beside the runs, asks several questions at a time.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
};

use weft_shared::{
    api::{
        evaluation::{
            EvaluatedAnswer, EvaluatedPair, Evaluation, EvaluationResult, NewEvaluation, Outcome,
        },
        job::{CheckFinding, JobState, RunFinding, Severity},
    },
    pair::Pair,
};

use super::{
    Jobs, JobsError,
    answers::{Form, read_out},
    queue::Locked,
    worker::{PATIENCE, message},
};
use crate::{
    evaluation::{AT_ONCE, is_right},
    store::{Store, StoreError},
};

impl Jobs {
    /// Queues an evaluation, of the dataset as it is now unless a version is named.
    pub fn evaluate(&self, new: &NewEvaluation) -> Result<Evaluation, JobsError> {
        let version = match new.version {
            Some(number) => number,
            None => self.store().keep_version(new.dataset, "")?.number,
        };
        let pairs = self.store().version_rows(new.dataset, version)?.len();
        let questions = pairs.min(new.limit.unwrap_or(pairs));
        self.refuse_hopeless(new, questions)?;

        let queue = self.inner.queue.lock();
        let new = NewEvaluation { version: Some(version), ..new.clone() };
        let added = self.store().add_evaluation(&new, questions)?;
        queue.wake();
        Ok(added)
    }

    /// Newest first.
    pub fn evaluations(&self) -> Result<Vec<Evaluation>, JobsError> {
        Ok(self.store().evaluations()?)
    }

    pub fn evaluation(&self, id: i64) -> Result<Evaluation, JobsError> {
        Ok(self.store().evaluation(id)?)
    }

    /// Up to `limit` questions with their answers behind the question `after`, of one outcome or of all.
    pub fn evaluated_pairs(
        &self,
        id: i64,
        after: usize,
        outcome: Option<Outcome>,
        limit: usize,
    ) -> Result<Vec<EvaluatedPair>, JobsError> {
        Ok(self.store().answers_after(id, after, outcome, limit)?)
    }

    /// Ends an evaluation, which keeps what it has counted; the answer that is being written is not counted.
    pub fn cancel_evaluation(&self, id: i64) -> Result<Evaluation, JobsError> {
        self.store().end_evaluation(id, JobState::Cancelled, None)?;
        self.stop_evaluation_that_is_over();
        self.evaluation(id)
    }

    /// Queues a cancelled or failed evaluation again; it goes on with the first question that was not counted.
    pub fn resume_evaluation(&self, id: i64) -> Result<Evaluation, JobsError> {
        let queue = self.inner.queue.lock();
        let resumed = self.store().resume_evaluation(id)?;
        queue.wake();
        Ok(resumed)
    }

    /// Deletes an evaluation; one that goes on ends within a few tokens.
    pub fn delete_evaluation(&self, id: i64) -> Result<(), JobsError> {
        self.store().delete_evaluation(id)?;
        self.stop_evaluation_that_is_over();
        Ok(())
    }

    /// After a change in the store: the worker does not ask it for every piece of text.
    pub(super) fn stop_evaluation_that_is_over(&self) {
        // One that is stopped for nothing is the next that the worker finds.
        let goes_on = |id| self.store().evaluation_goes_on(id).unwrap_or(false);
        self.inner.queue.lock().stop_evaluation_unless(goes_on);
    }

    fn refuse_hopeless(&self, new: &NewEvaluation, questions: usize) -> Result<(), JobsError> {
        let found = self.inner.engine.fingerprint();
        let finding = match &new.adapter {
            _ if new.max_tokens == 0 => RunFinding::Option {
                option: "max_tokens".to_owned(),
                wanted: "at least 1".to_owned(),
                found: "0".to_owned(),
            },
            _ if questions == 0 => RunFinding::NoPairs,
            Some(name) => {
                let adapter = self.store().adapter(name)?.facts;
                if adapter.model_fingerprint == found {
                    return Ok(());
                }
                RunFinding::OtherAdapter {
                    adapter: adapter.name,
                    made_for: adapter.model_fingerprint,
                    found: found.to_owned(),
                }
            }
            None => return Ok(()),
        };
        let refusal = CheckFinding { severity: Severity::Refusal, row: None, finding };
        Err(JobsError::Refused(vec![refusal]))
    }

    /// Runs what is queued until the server ends. The store has all that is known, so that a kill, or a disk that is
    /// full for a while, costs one question.
    pub(super) fn evaluate_queued(&self) {
        let begin = |store: &Store, queue: &mut Locked| {
            let begun = store.begin_evaluation()?;
            queue.set_evaluation(begun.as_ref().map(|it| it.id));
            Ok(begun)
        };
        while let Some(evaluation) = self.wait_for_next(begin) {
            let id = evaluation.id;
            let ended = catch_unwind(AssertUnwindSafe(|| self.evaluate_now(evaluation)))
                .unwrap_or_else(|panic| Err(JobsError::Panicked(message(&*panic))));
            let noted = match ended {
                Ok(true) => self.store().end_evaluation(id, JobState::Done, None),
                Ok(false) => Ok(()),
                Err(error) => {
                    self.store().end_evaluation(id, JobState::Failed, Some(&error.advice()))
                }
            };
            match noted {
                // Cancelled in the last moment, or deleted, by itself or with its adapter.
                Ok(()) | Err(StoreError::NoEvaluation(_) | StoreError::EvaluationIsOver(_)) => {}
                Err(error) => {
                    tracing::error!("the end of evaluation {id} cannot be noted: {error}");
                    drop(self.inner.queue.lock().wait_for(PATIENCE));
                }
            }
        }
    }

    /// Asks what was not asked yet. `false` when it is cancelled or deleted, or the server ends, before the last
    /// question.
    fn evaluate_now(&self, evaluation: Evaluation) -> Result<bool, JobsError> {
        let Evaluation { id, request, questions, mut result, .. } = evaluation;
        let engine = &self.inner.engine;
        let adapter = match &request.adapter {
            Some(name) => {
                let adapter = self.store().adapter(name)?.id;
                Some(engine.adapter(adapter, &self.inner.dir.adapter(adapter))?)
            }
            None => None,
        };
        let form = Form { template: request.template.into(), max_tokens: request.max_tokens };
        let stops = || self.inner.queue.stops_evaluation(id);
        let version = request.version.unwrap_or_default();
        let rows = self.store().version_rows(request.dataset, version)?;
        let mut rows = rows.into_iter().take(questions).skip(result.base.all.asked);
        let mut writing = VecDeque::new();
        loop {
            while writing.len() < AT_ONCE
                && let Some(row) = rows.next()
            {
                let (history, question) = row.pair.conversation();
                let ask = |adapter| form.ask(engine, adapter, (&history, &question));
                let adapted = adapter.as_ref().map(|adapter| ask(Some(adapter))).transpose()?;
                writing.push_back((row.pair, ask(None)?, adapted));
            }
            let Some((pair, base, adapted)) = writing.pop_front() else { break };
            let Some(base) = read_out(base, &stops)? else { return Ok(false) };
            let adapted = match adapted {
                Some(answer) => match read_out(answer, &stops)? {
                    Some(answer) => Some(answer),
                    None => return Ok(false),
                },
                None => None,
            };
            let answered = count(&mut result, pair, base, adapted);
            self.store().add_answer(id, &answered, &result)?;
        }
        Ok(true)
    }
}

/// Adds one question's answers to the result.
fn count(
    result: &mut EvaluationResult,
    pair: Pair,
    base: String,
    adapter: Option<String>,
) -> EvaluatedPair {
    let mark = |text: String| EvaluatedAnswer { is_right: is_right(&pair, &text), text };
    let (base, adapter) = (mark(base), adapter.map(mark));
    result.base.add(&pair.tags, base.is_right);
    if let Some(adapter) = &adapter {
        result.adapter.get_or_insert_default().add(&pair.tags, adapter.is_right);
    }
    let outcome = Outcome::new(base.is_right, adapter.as_ref().map(|it| it.is_right));
    result.outcomes.add(outcome);
    EvaluatedPair { number: result.base.all.asked, pair, base, adapter, outcome }
}
