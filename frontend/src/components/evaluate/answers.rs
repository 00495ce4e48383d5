//! The questions one by one: what was wanted, and what base and adapter answered.

use leptos::prelude::*;
use weft_shared::{
    api::evaluation::{EvaluatedAnswer, EvaluatedPair, Outcome, Outcomes},
    pair::Pair,
};

use crate::i18n::{self, quantity::count};

#[component]
pub fn Answers(
    #[prop(into)] outcomes: Signal<Outcomes>,
    /// `None` is every outcome.
    #[prop(into)]
    chosen: Signal<Option<Outcome>>,
    /// Those that were read so far.
    #[prop(into)]
    pairs: Signal<Vec<EvaluatedPair>>,
    has_adapter: bool,
    #[prop(into)] is_over: Signal<bool>,
    /// Questions that were counted.
    #[prop(into)]
    asked: Signal<usize>,
    #[prop(into)] on_choose: Callback<Option<Outcome>>,
    #[prop(into)] on_more: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let shown = move || outcomes.with(|it| chosen.get().map_or(it.all(), |one| it.of(one)));
    let left = move || shown().saturating_sub(pairs.with(Vec::len));
    let nothing = move || match (outcomes.with(|it| it.all()), asked.get()) {
        (0, 1..) => words().not_kept,
        (0, 0) if !is_over.get() => words().nothing_yet,
        _ => words().nothing_here,
    };
    view! {
        <section aria-labelledby="asked-title">
            <h3 id="asked-title">{move || words().answers}</h3>
            <Filter outcomes chosen has_adapter on_choose />
            <Show when=move || shown() == 0>
                <p class="quiet-text" data-testid="evaluate-nothing">{nothing}</p>
            </Show>
            <ol class="asked-list" data-testid="evaluate-answers" data-value=move || pairs.with(Vec::len).to_string()>
                <For each=move || pairs.get() key=|it| it.number let:it>
                    <Asked it />
                </For>
            </ol>
            <Show when=move || left() != 0>
                <button class="button plain" type="button" data-testid="evaluate-more" on:click=move |_| on_more.run(())>
                    {move || format!("{} ({})", words().more, count(left()))}
                </button>
            </Show>
        </section>
    }
}

/// Which outcome is shown, each with its count.
#[component]
fn Filter(
    outcomes: Signal<Outcomes>,
    chosen: Signal<Option<Outcome>>,
    has_adapter: bool,
    on_choose: Callback<Option<Outcome>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let alone = [None, Some(Outcome::Wrong), Some(Outcome::Right)];
    let beside = [None].into_iter().chain(Outcome::ALL.map(Some));
    let choices: Vec<_> = if has_adapter { beside.collect() } else { alone.into() };
    let choice = move |choice: Option<Outcome>| {
        let name = choice.map_or("all", Outcome::name);
        let label = move || choice.map_or(words().every, |it| words().outcome(it, has_adapter));
        let counted = move || outcomes.with(|it| choice.map_or(it.all(), |one| it.of(one)));
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="evaluate-filter"
                    value=name
                    data-testid=format!("evaluate-filter-{name}")
                    data-value=move || counted().to_string()
                    prop:checked=move || chosen.get() == choice
                    on:change=move |_| on_choose.run(choice)
                />
                <span>{label} " " <span class="counted">{move || count(counted())}</span></span>
            </label>
        }
    };
    view! {
        <fieldset class="choice">
            <legend class="visually-hidden">{move || words().filter}</legend>
            <div class="segments">{choices.into_iter().map(choice).collect_view()}</div>
        </fieldset>
    }
}

#[component]
fn Asked(it: EvaluatedPair) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let EvaluatedPair { number, pair, base, adapter, outcome } = it;
    let Pair { question, answer, history, system, .. } = pair;
    let has_adapter = adapter.is_some();
    let turns = history.into_iter().flat_map(|turn| [turn.question, turn.answer]);
    let earlier: Vec<String> = system.into_iter().chain(turns).collect();
    let earlier = (!earlier.is_empty()).then(|| {
        let said = |said| view! { <p class="said">{said}</p> };
        view! {
            <details class="earlier">
                <summary>{move || words().earlier}</summary>
                {earlier.into_iter().map(said).collect_view()}
            </details>
        }
    });
    let adapter = adapter.map(|answer| {
        view! {
            <div>
                <dt>{move || words().with_adapter}</dt>
                <Given answer />
            </div>
        }
    });
    view! {
        <li class="answered-pair" data-testid="evaluate-answer" data-value=outcome.name()>
            <div class="bar">
                <p class="said asked-question">
                    <span class="hint">{number} " "</span>
                    {question}
                </p>
                <span class=format!("outcome {}", outcome.name())>
                    {move || words().outcome(outcome, has_adapter)}
                </span>
            </div>
            {earlier}
            <dl class="side-by-side">
                <div>
                    <dt>{move || words().wanted}</dt>
                    <dd class="said">{answer}</dd>
                </div>
                <div>
                    <dt>{move || words().base}</dt>
                    <Given answer=base />
                </div>
                {adapter}
            </dl>
        </li>
    }
}

/// What was answered, and whether that is right.
#[component]
fn Given(answer: EvaluatedAnswer) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let EvaluatedAnswer { text, is_right } = answer;
    let mark = if is_right { "✓" } else { "✗" };
    let meaning = move || if is_right { words().is_right } else { words().is_wrong };
    let text = if text.trim().is_empty() {
        view! { <i class="quiet-text">{move || words().empty_answer}</i> }.into_any()
    } else {
        view! { <span class="said">{text}</span> }.into_any()
    };
    view! {
        <dd class="given" class:is-right=is_right>
            <span class="tick-or-cross" aria-hidden="true">{mark}</span>
            <span class="visually-hidden">{meaning} ": "</span>
            {text}
        </dd>
    }
}
