//! The evaluation that is looked at: its head, its counts, and its questions, read a part at a time.

use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::evaluation::{EvaluatedPair, Evaluation, Outcome};

use super::evaluations::Evaluations;
use crate::{
    api,
    components::evaluate::{answers::Answers, counts::Counts, head::EvaluationHead},
};

/// Questions that are read at once.
const PART: usize = 20;

#[component]
pub fn ResultView(evaluations: Evaluations, first: Evaluation) -> impl IntoView {
    let id = first.id;
    let has_adapter = first.request.adapter.is_some();
    let find =
        move || evaluations.list.with(|all| all.iter().flatten().find(|it| it.id == id).cloned());
    // One that is gone stays in view until another is selected.
    let evaluation = Memo::new(move |last: Option<&Evaluation>| {
        find().or_else(|| last.cloned()).unwrap_or_else(|| first.clone())
    });
    let result = Memo::new(move |_| evaluation.with(|it| it.result.clone()));
    let outcomes = Memo::new(move |_| result.with(|it| it.outcomes));
    let left = move || evaluations.left.get().filter(|left| left.0 == id).map(|left| left.1);
    let reading = Reading {
        evaluations,
        id,
        chosen: RwSignal::new(None),
        pairs: RwSignal::default(),
        is_busy: RwSignal::new(false),
        has_failed: RwSignal::new(false),
    };
    // The first ones come by themselves, also while the evaluation goes on.
    let wanted = Memo::new(move |_| {
        let chosen = reading.chosen.get();
        outcomes.with(|it| chosen.map_or(it.all(), |one| it.of(one))).min(PART)
    });
    Effect::new(move || {
        let (wanted, chosen) = (wanted.get(), reading.chosen.get());
        let has = reading.pairs.with(Vec::len);
        if has < wanted && !reading.is_busy.get() && !reading.has_failed.get() {
            spawn_local(reading.read_on(chosen));
        }
    });
    view! {
        <article class="run-view">
            <EvaluationHead
                evaluation
                left=Signal::derive(left)
                on_action=move |action| evaluations.act(id, action)
            />
            <Counts result has_adapter />
            <Answers
                outcomes
                chosen=reading.chosen
                pairs=reading.pairs
                has_adapter
                is_over=Signal::derive(move || evaluation.with(|it| it.state.is_over()))
                asked=Signal::derive(move || result.with(|it| it.base.all.asked))
                on_choose=move |chosen| reading.choose(chosen)
                on_more=move |()| spawn_local(reading.read_on(reading.chosen.get_untracked()))
            />
        </article>
    }
}

/// The questions that were read. Copies are of the same.
#[derive(Clone, Copy)]
struct Reading {
    evaluations: Evaluations,
    id: i64,
    chosen: RwSignal<Option<Outcome>>,
    pairs: RwSignal<Vec<EvaluatedPair>>,
    is_busy: RwSignal<bool>,
    /// Then nothing is read until the person says so.
    has_failed: RwSignal<bool>,
}

impl Reading {
    fn choose(self, chosen: Option<Outcome>) {
        self.chosen.set(chosen);
        self.pairs.set(Vec::new());
        self.has_failed.set(false);
    }

    /// Reads the next part of what is chosen.
    async fn read_on(self, chosen: Option<Outcome>) {
        let Some(after) = self.last() else { return };
        self.is_busy.set(true);
        let read = api::evaluations::answers(self.id, chosen, after, PART).await;
        let Some(now) = self.chosen.try_get_untracked() else { return };
        self.has_failed.set(read.is_err());
        match read {
            // Another choice, or another part, came first otherwise.
            Ok(more) if now == chosen && self.last() == Some(after) => {
                self.pairs.update(|pairs| pairs.extend(more));
            }
            Ok(_) => {}
            Err(error) => self.evaluations.trouble.set(Some(error)),
        }
        self.is_busy.set(false);
    }

    /// The number of the last question; `None` when the person left the page.
    fn last(self) -> Option<usize> {
        self.pairs.try_with_untracked(|it| it.last().map_or(0, |it| it.number))
    }
}
