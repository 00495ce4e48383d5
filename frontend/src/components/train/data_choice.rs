//! What is learned from, what the result is called, and which questions are asked on the way.

use leptos::prelude::*;
use weft_shared::api::dataset::DatasetSummary;

use crate::{
    i18n::{self, quantity},
    state::train::form::Form,
};

#[component]
pub fn DataChoice(
    /// `None` until the server answered.
    #[prop(into)]
    datasets: Signal<Option<Vec<DatasetSummary>>>,
    #[prop(into)] chosen: Signal<Option<DatasetSummary>>,
    #[prop(into)] on_choose: Callback<i64>,
) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let body = move || match datasets.get() {
        None => view! { <p class="quiet-text">{setup().loading}</p> }.into_any(),
        Some(datasets) if datasets.is_empty() => view! {
            <div class="teach" data-testid="train-no-dataset">
                <p>{setup().no_dataset}</p>
                <p class="quiet-text">{setup().no_dataset_next}</p>
                <a class="button" href="/dataset">{setup().to_dataset}</a>
            </div>
        }
        .into_any(),
        Some(datasets) => view! { <Datasets datasets chosen on_choose /> }.into_any(),
    };
    view! { <div class="data-choice">{body}</div> }
}

#[component]
fn Datasets(
    datasets: Vec<DatasetSummary>,
    chosen: Signal<Option<DatasetSummary>>,
    on_choose: Callback<i64>,
) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let option = |dataset: DatasetSummary| {
        let id = dataset.id;
        let text = move || {
            format!("{} · {} {}", dataset.name, quantity::count(dataset.pairs), setup().pairs)
        };
        let is_chosen = move || chosen.with(|it| it.as_ref().is_some_and(|it| it.id == id));
        view! { <option value=id.to_string() prop:selected=is_chosen>{text}</option> }
    };
    let choose = move |id: String| {
        if let Ok(id) = id.parse() {
            on_choose.run(id);
        }
    };
    let is_empty = move || chosen.with(|it| it.as_ref().is_some_and(|it| it.pairs == 0));
    let id = move || chosen.with(|it| it.as_ref().map_or(0, |it| it.id));
    view! {
        <div class="option wide">
            <label for="train-dataset">{move || setup().dataset.label}</label>
            <select
                id="train-dataset"
                data-testid="train-dataset"
                aria-describedby="train-dataset-help"
                on:change:target=move |event| choose(event.target().value())
            >
                {datasets.into_iter().map(option).collect_view()}
            </select>
            <p id="train-dataset-help" class="help">
                <Show when=is_empty>
                    <b class="correct">{move || setup().no_pairs_yet} " "</b>
                </Show>
                {move || setup().dataset.help}
                " "
                <a href=move || format!("/dataset?dataset={}", id())>{move || setup().edit_dataset}</a>
            </p>
        </div>
    }
}

/// The adapter's name.
#[component]
pub fn NameField(
    form: RwSignal<Form>,
    #[prop(into)] dataset: Signal<Option<DatasetSummary>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let name = Memo::new(move |_| {
        let dataset = dataset.with(|it| it.as_ref().map_or_else(String::new, |it| it.name.clone()));
        form.with(|form| form.name(&dataset))
    });
    let is_wrong = Memo::new(move |_| form.with(Form::is_name_wrong));
    view! {
        <div class="option wide" class:wrong=is_wrong>
            <label for="train-name">{move || setup().name.label}</label>
            <input
                id="train-name"
                data-testid="train-name"
                type="text"
                autocomplete="off"
                spellcheck="false"
                aria-invalid=move || is_wrong.get().then_some("true")
                aria-describedby="train-name-help"
                prop:value=name
                on:input:target=move |event| form.update(|form| form.rename(event.target().value()))
                on:change=move |_| form.update(Form::name_is_finished)
            />
            <p id="train-name-help" class="help">
                <Show when=move || is_wrong.get()>
                    <b class="correct">{move || setup().wrong_name} " "</b>
                </Show>
                {move || setup().name.help}
            </p>
        </div>
    }
}

/// Questions that are answered again and again.
#[component]
pub fn PinnedField(form: RwSignal<Form>) -> impl IntoView {
    let words = i18n::use_words();
    let setup = move || &words.get().train.setup;
    let pinned = Memo::new(move |_| form.with(|form| form.pinned.clone()));
    view! {
        <div class="option wide">
            <label for="train-questions">{move || setup().pinned.label}</label>
            <textarea
                id="train-questions"
                data-testid="train-questions"
                rows="2"
                aria-describedby="train-questions-help"
                prop:value=pinned
                on:input:target=move |event| form.update(|form| form.pinned = event.target().value())
            ></textarea>
            <p id="train-questions-help" class="help">{move || setup().pinned.help}</p>
        </div>
    }
}
