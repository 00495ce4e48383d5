//! Evaluate: how many questions are answered as wanted, without and with an adapter.

pub mod evaluations;
pub mod result;
pub mod setup;

use evaluations::Evaluations;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_query_map;
use result::ResultView;
use setup::Setup;

use crate::{
    components::{
        evaluate::{
            asking_fields::AskingFields,
            data_fields::{AdapterField, DataFields},
            list::EvaluationList,
        },
        notice::Notice,
    },
    i18n::{self, trouble},
    state::evaluate::form::{Beside, Form},
};

#[component]
pub fn EvaluatePage() -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let words = move || &words.get().evaluate;
    let setup = Setup::new(asked_for());
    let evaluations = Evaluations::new();
    let trouble = move || {
        let error = setup.trouble.get().or_else(|| evaluations.trouble.get())?;
        let what = Signal::derive(move || trouble::explain(&error, language.get()));
        Some(view! { <Notice what /> })
    };
    let start = move |_| {
        spawn_local(async move {
            if let Some(started) = setup.start().await {
                evaluations.add(started);
            }
        });
    };
    view! {
        // The sheet of the page Train lays out a bench of work: what is set up, and what came of it.
        <div class="page train evaluate">
            <header class="title">
                <h1>{move || words().title}</h1>
                <p class="lead">{move || words().lead}</p>
            </header>
            {trouble}
            <div class="workbench">
                <section class="setup" aria-labelledby="evaluate-setup-title">
                    <h2 id="evaluate-setup-title">{move || words().setup}</h2>
                    <SetupFields setup />
                    <button
                        class="button"
                        type="button"
                        data-testid="evaluate-start"
                        disabled=move || setup.request.with(Option::is_none) || setup.is_starting.get()
                        on:click=start
                    >
                        {move || if setup.is_starting.get() { words().starting } else { words().start }}
                    </button>
                    <p class="help">{move || words().how}</p>
                </section>
                <div class="results">
                    <Selected evaluations />
                </div>
                <Show when=move || evaluations.list.with(|all| all.as_ref().is_some_and(|it| !it.is_empty()))>
                    <EvaluationList
                        evaluations=Signal::derive(move || evaluations.list.get().unwrap_or_default())
                        selected=evaluations.selected
                        on_select=move |id| evaluations.select(id)
                    />
                </Show>
            </div>
        </div>
    }
}

#[component]
fn SetupFields(setup: Setup) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let is_answered = Memo::new(move |_| setup.datasets.with(Option::is_some));
    let datasets = Signal::derive(move || setup.datasets.get().unwrap_or_default());
    let is_empty = Memo::new(move |_| datasets.with(Vec::is_empty));
    move || match (is_answered.get(), is_empty.get()) {
        (false, _) => view! { <p class="quiet-text">{words().loading}</p> }.into_any(),
        (true, true) => view! {
            <div class="teach" data-testid="evaluate-no-dataset">
                <p>{words().no_dataset}</p>
                <p class="quiet-text">{words().no_dataset_next}</p>
                <a class="button" href="/dataset">{words().to_dataset}</a>
            </div>
        }
        .into_any(),
        (true, false) => view! {
            <AdapterField form=setup.form adapters=setup.server.adapters chosen=setup.adapter />
            <DataFields
                form=setup.form
                datasets
                versions=setup.versions
                chosen=setup.dataset
                adapter=setup.adapter
            />
            <AskingFields form=setup.form />
        }
        .into_any(),
    }
}

/// The evaluation that is looked at, or what will be here.
#[component]
fn Selected(evaluations: Evaluations) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let is_answered = Memo::new(move |_| evaluations.list.with(Option::is_some));
    let first = move |id: i64| evaluations.find(id);
    move || match (evaluations.selected.get().and_then(first), is_answered.get()) {
        (Some(first), _) => view! { <ResultView evaluations first /> }.into_any(),
        (None, true) => view! {
            <div class="teach" data-testid="evaluate-none">
                <p>{move || words().none}</p>
                <p class="quiet-text">{move || words().none_next}</p>
            </div>
        }
        .into_any(),
        (None, false) => view! { <p class="quiet-text">{move || words().loading}</p> }.into_any(),
    }
}

/// What the address asks for: an adapter, a dataset and its version.
fn asked_for() -> Form {
    let query = use_query_map().get_untracked();
    let dataset = query.get_str("dataset").and_then(|id| id.parse().ok());
    Form {
        beside: query.get("adapter").map_or_else(Beside::default, Beside::Adapter),
        dataset,
        version: query.get_str("version").and_then(|number| number.parse().ok()),
        ..Form::default()
    }
}
