//! How long questions and answers are.

use leptos::prelude::*;

use super::views::Views;
use crate::{
    components::histogram::LengthBars,
    i18n,
    state::dataset::{filter::LengthRange, histogram::Histogram, lengths::Part},
    tokenizing::use_tokenizing,
};

#[component]
pub(super) fn Lengths(views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let vocabulary = use_tokenizing().vocabulary;
    let question = Signal::derive(move || words.get().dataset.question);
    let answer = Signal::derive(move || words.get().dataset.answer);
    view! {
        <section class="panel" aria-labelledby="lengths-title">
            <h2 id="lengths-title">{move || words.get().dataset.lengths}</h2>
            <Show
                when=move || vocabulary.with(Option::is_some)
                fallback=move || view! { <p class="quiet-text">{words.get().dataset.no_vocabulary}</p> }
            >
                <p class="hint">{move || words.get().dataset.lengths_help}</p>
                <PartLengths views part=Part::Question name=question test_id="dataset-question-lengths" />
                <PartLengths views part=Part::Answer name=answer test_id="dataset-answer-lengths" />
            </Show>
        </section>
    }
}

#[component]
fn PartLengths(
    views: Views,
    part: Part,
    name: Signal<&'static str>,
    test_id: &'static str,
) -> impl IntoView {
    let limit = Memo::new(move |_| {
        views.options.with(|options| match part {
            Part::Question => options.max_source_length,
            Part::Answer => options.max_target_length,
        })
    });
    let histogram = Memo::new(move |_| Histogram::of(views.tokens(part), limit.get()));
    let pressed = Memo::new(move |_| {
        let range = views.filter.with(|filter| filter.length);
        range.filter(|range| range.part == part).and_then(|range| range.from)
    });
    let press = move |place: usize| {
        let tokens =
            histogram.with_untracked(|it| it.bars.get(place).map(|bar| bar.tokens.clone()));
        let range = tokens.map(|tokens| LengthRange::of(part, &tokens));
        views.filter.update(|filter| {
            let is_pressed = filter.length == range;
            filter.length = range.filter(|_| !is_pressed);
        });
    };
    view! { <LengthBars name test_id histogram limit pressed on_press=press /> }
}
