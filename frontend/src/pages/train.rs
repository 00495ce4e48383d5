//! Train: from pairs to an adapter.

mod checking;
pub mod gate;
pub mod previewing;
pub mod run;
pub mod runs;
pub mod setup;

use gate::Gate;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_query_map;
use run::RunView;
use runs::Runs;
use setup::Setup;
use weft_shared::api::job::Job;

use crate::{
    components::{
        notice::Notice,
        train::{
            data_choice::{DataChoice, NameField, PinnedField},
            options_form::OptionsForm,
            run_list::RunList,
        },
    },
    i18n,
    tokenizing::use_tokenizing,
};

/// How long nothing has to change before it is checked and encoded.
const PAUSE_MS: u32 = 400;

#[component]
pub fn TrainPage() -> impl IntoView {
    let words = i18n::use_words();
    let train = move || &words.get().train;
    use_tokenizing().use_the_models();
    let setup = Setup::new();
    let runs = Runs::new(asked_for());
    let start = move |()| {
        spawn_local(async move {
            if let Some(job) = setup.start().await {
                runs.add(job);
            }
        });
    };
    let trouble = Signal::derive(move || {
        let trouble = setup.trouble.get().or_else(|| runs.trouble.get());
        trouble.map(|error| error.to_string())
    });
    view! {
        <div class="page train">
            <header class="title">
                <h1>{move || train().title}</h1>
                <p class="lead">{move || train().lead}</p>
            </header>
            <Show when=move || trouble.with(Option::is_some)>
                <Notice what=Signal::derive(move || trouble.get().unwrap_or_default()) />
            </Show>
            <div class="workbench">
                <section class="setup" aria-labelledby="setup-title">
                    <h2 id="setup-title">{move || train().setup.title}</h2>
                    <DataChoice
                        datasets=setup.datasets
                        chosen=setup.dataset
                        on_choose=move |id| setup.choose(id)
                    />
                    <NameField form=setup.form dataset=setup.dataset />
                    <OptionsForm
                        form=setup.form
                        adapters=setup.server.adapters
                        rehearses=Signal::derive(move || {
                            setup.server.model.with(|model| {
                                model.as_ref().is_some_and(|model| model.rehearsal_pairs > 0)
                            })
                        })
                        on_recommended=move |()| setup.recommend()
                    />
                    <PinnedField form=setup.form />
                    <Gate setup on_start=start />
                </section>
                <div class="results">
                    <SelectedRun runs />
                    <Show when=move || runs.jobs.with(|jobs| jobs.as_ref().is_some_and(|it| !it.is_empty()))>
                        <RunList
                            jobs=Signal::derive(move || runs.jobs.get().unwrap_or_default())
                            selected=runs.selected
                            compared=runs.compared
                            on_select=move |id| runs.select(id)
                            on_compare=move |(id, is_wanted)| runs.compare(id, is_wanted)
                        />
                    </Show>
                </div>
            </div>
        </div>
    }
}

/// The run that is looked at, or what will be here.
#[component]
fn SelectedRun(runs: Runs) -> impl IntoView {
    let words = i18n::use_words();
    let run = move || &words.get().train.run;
    let is_answered = Memo::new(move |_| runs.jobs.with(Option::is_some));
    let first = move |id: i64| {
        let find = |jobs: &Option<Vec<Job>>| jobs.iter().flatten().find(|it| it.id == id).cloned();
        runs.jobs.with_untracked(find)
    };
    move || match (runs.selected.get().and_then(first), is_answered.get()) {
        (Some(first), _) => view! { <RunView runs first /> }.into_any(),
        (None, true) => view! {
            <div class="teach" data-testid="train-no-run">
                <p>{move || run().none}</p>
                <p class="quiet-text">{move || run().none_next}</p>
            </div>
        }
        .into_any(),
        (None, false) => view! {
            <p class="quiet-text">{move || words.get().train.setup.loading}</p>
        }
        .into_any(),
    }
}

/// The run that the address names.
fn asked_for() -> Option<i64> {
    use_query_map().get_untracked().get("job")?.parse().ok()
}
