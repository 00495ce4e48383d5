//! Before the first pair: what a pair is, and how to come by some.

use leptos::prelude::*;

use crate::{curating::use_curating, i18n, state::dataset::examples::examples};

#[component]
pub(super) fn Empty() -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let load = move |_| {
        curating.add_named(words.get_untracked().dataset.example_name, examples());
    };
    view! {
        <section class="empty" aria-labelledby="empty-title">
            <h2 id="empty-title">{move || words.get().dataset.empty_title}</h2>
            <p>{move || words.get().dataset.empty_what}</p>
            <dl class="specimen-pair">
                <dt>{move || words.get().dataset.question}</dt>
                <dd>{move || words.get().dataset.empty_question}</dd>
                <dt>{move || words.get().dataset.answer}</dt>
                <dd>{move || words.get().dataset.empty_answer}</dd>
            </dl>
            <p>{move || words.get().dataset.empty_how}</p>
            <p>
                <button class="button" type="button" data-testid="dataset-example" on:click=load>
                    {move || words.get().dataset.load_examples}
                </button>
            </p>
            <p class="hint">{move || words.get().dataset.empty_next}</p>
        </section>
    }
}
