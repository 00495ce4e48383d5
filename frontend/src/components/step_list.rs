//! How a text became tokens: each step and what it left.

use leptos::prelude::*;
use weft_shared::tokenizer::{TracePart, TraceStep};

use crate::i18n::{self, step::explain};

#[component]
pub fn StepList(
    #[prop(into)] title: Signal<&'static str>,
    #[prop(into)] steps: Signal<Vec<TraceStep>>,
    /// The steps show only the first part of the text.
    #[prop(into)]
    is_cut: Signal<bool>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let items = move || {
        let entries = steps.get().into_iter();
        entries
            .map(|step| view! { <StepItem explained=explain(step.name, language.get()) step /> })
            .collect_view()
    };
    let lead = move || {
        let inspect = &words.get().inspect;
        if is_cut.get() { inspect.steps_cut } else { inspect.steps_lead }
    };
    view! {
        <section class="steps" aria-labelledby="steps-title">
            <h2 id="steps-title">{title}</h2>
            <p class="quiet-text">{lead}</p>
            <ol>{items}</ol>
        </section>
    }
}

#[component]
fn StepItem(
    /// Its name, and what it does.
    explained: (&'static str, &'static str),
    step: TraceStep,
) -> impl IntoView {
    let words = i18n::use_words();
    let (name, what) = explained;
    if !step.changed {
        return view! {
            <li class="unchanged">
                <b>{name}</b>
                " "
                <span>{move || words.get().inspect.unchanged}</span>
            </li>
        }
        .into_any();
    }
    view! {
        <li>
            <b>{name}</b>
            <p class="what">{what}</p>
            // A keyboard can scroll it where it is long.
            <p class="mono result" tabindex="0">
                {step.parts.into_iter().map(part).collect_view()}
            </p>
        </li>
    }
    .into_any()
}

fn part(part: TracePart) -> impl IntoView {
    view! { <span class="part" class:special=part.special>{part.text}</span> }
}
