//! Dataset: the pairs that the model is trained on.

#![expect(unreachable_pub, reason = "the macro makes the properties of a component public")]

mod empty;
mod exporting;
mod filter_bar;
mod importing;
mod lengths;
mod new_row;
mod row;
mod save_badge;
mod shortcuts;
mod table;
mod toolbar;
mod versions;
mod views;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use self::{
    empty::Empty,
    exporting::Exporting,
    filter_bar::FilterBar,
    importing::{ImportButtons, Reports},
    lengths::Lengths,
    new_row::NewRow,
    table::Table,
    toolbar::Toolbar,
    versions::Versions,
    views::Views,
};
use crate::{
    components::notice::Notice,
    curating::{News, Phase, use_curating},
    i18n::{self, trouble::explain},
    tokenizing::use_tokenizing,
};

#[component]
pub fn DatasetPage() -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    use_tokenizing().use_the_models();
    let curating = use_curating();
    let query = use_query_map();
    let number = move |name: &str| query.with_untracked(|query| query.get(name)?.parse().ok());
    curating.open(number("dataset"));
    let views = Views::new(curating, number("row"));
    shortcuts::listen(curating);
    importing::listen(curating);
    on_cleanup(move || {
        curating.commit();
    });

    let is_empty = Memo::new(move |_| views.count.get() == 0);
    let is_open = move || curating.phase.get() == Phase::Open;
    let trouble = move || {
        let dataset = &words.get().dataset;
        let what = match (curating.phase.get(), curating.news.get()) {
            (Phase::Failed(error), _) => {
                format!("{} {}", explain(&error, language.get()), dataset.tried_again)
            }
            (_, Some(News::ChangedElsewhere { copies })) => (dataset.changed_elsewhere)(copies),
            (_, Some(News::Refused(error))) => explain(&error, language.get()),
            (_, Some(News::NoDownload)) => dataset.no_download.to_owned(),
            (_, None) => return None,
        };
        Some(view! { <Notice what=Signal::stored(what) /> })
    };

    view! {
        <div class="page dataset">
            <header class="title">
                <h1>{move || words.get().dataset.title}</h1>
                <p class="lead">{move || words.get().dataset.lead}</p>
            </header>
            {trouble}
            <Toolbar views />
            <section class="adding" aria-label=move || words.get().dataset.adding>
                <div class="row-of-buttons">
                    <ImportButtons />
                    <Exporting views />
                </div>
                <Reports />
                <NewRow views />
            </section>
            <Show when=move || is_empty.get() && is_open()>
                <Empty />
            </Show>
            <FilterBar views />
            <Show when=move || !is_empty.get()>
                <Table views />
                <div class="below">
                    <Lengths views />
                    <Versions />
                </div>
            </Show>
        </div>
    }
}
