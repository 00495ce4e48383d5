//! Who is asked, and which questions.

use leptos::prelude::*;
use weft_shared::api::{
    adapter::AdapterInfo,
    dataset::{DatasetSummary, Version},
};

use crate::{
    i18n::{self, quantity::count},
    state::evaluate::form::{Beside, Form, is_of},
};

/// Who answers beside the base.
#[component]
pub fn AdapterField(
    form: RwSignal<Form>,
    #[prop(into)] adapters: Signal<Vec<AdapterInfo>>,
    #[prop(into)] chosen: Signal<Option<AdapterInfo>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let is_chosen =
        move |name: &str| chosen.with(|it| it.as_ref().map_or("", |it| &it.name) == name);
    let options = move || {
        let option = |adapter: AdapterInfo| {
            let name = adapter.name;
            let (value, text) = (name.clone(), name.clone());
            view! { <option value=value prop:selected=move || is_chosen(&name)>{text}</option> }
        };
        adapters.get().into_iter().filter(|it| it.is_usable).map(option).collect_view()
    };
    let choose = move |name: String| {
        let beside = if name.is_empty() { Beside::Nobody } else { Beside::Adapter(name) };
        form.update(|form| form.beside = beside);
    };
    view! {
        <div class="option wide">
            <label for="evaluate-adapter">{move || words().adapter}</label>
            <select
                id="evaluate-adapter"
                data-testid="evaluate-adapter"
                data-value=move || chosen.with(|it| it.as_ref().map(|it| it.name.clone()))
                aria-describedby="evaluate-adapter-help"
                on:change:target=move |event| choose(event.target().value())
            >
                {options}
                <option value="" prop:selected=move || is_chosen("")>{move || words().base_only}</option>
            </select>
            <p id="evaluate-adapter-help" class="help">{move || words().adapter_help}</p>
        </div>
    }
}

/// The dataset and its version.
#[component]
pub fn DataFields(
    form: RwSignal<Form>,
    #[prop(into)] datasets: Signal<Vec<DatasetSummary>>,
    #[prop(into)] versions: Signal<Vec<Version>>,
    #[prop(into)] chosen: Signal<Option<DatasetSummary>>,
    /// The adapter that answers.
    #[prop(into)]
    adapter: Signal<Option<AdapterInfo>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let option = move |dataset: DatasetSummary| {
        let DatasetSummary { id, name, pairs, .. } = dataset;
        let text = move || format!("{name} · {} {}", count(pairs), words().pairs);
        let is_chosen = move || chosen.with(|it| it.as_ref().is_some_and(|it| it.id == id));
        view! { <option value=id.to_string() prop:selected=is_chosen>{text}</option> }
    };
    let choose = move |id: String| {
        if let Ok(id) = id.parse() {
            form.update(|form| form.choose_dataset(id));
        }
    };
    let help = move || match (adapter.get(), chosen.get()) {
        (Some(adapter), Some(dataset)) if is_of(&adapter, &dataset) => words().same_data,
        (Some(_), Some(_)) => words().other_data,
        _ => words().any_data,
    };
    view! {
        <div class="option wide">
            <label for="evaluate-dataset">{move || words().dataset}</label>
            <select
                id="evaluate-dataset"
                data-testid="evaluate-dataset"
                aria-describedby="evaluate-dataset-help"
                on:change:target=move |event| choose(event.target().value())
            >
                {move || datasets.get().into_iter().map(option).collect_view()}
            </select>
            <p id="evaluate-dataset-help" class="help" aria-live="polite">{help}</p>
        </div>
        <VersionField form versions chosen />
    }
}

#[component]
fn VersionField(
    form: RwSignal<Form>,
    versions: Signal<Vec<Version>>,
    chosen: Signal<Option<DatasetSummary>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let words = move || &words.get().evaluate;
    let number = Memo::new(move |_| form.with(|form| form.version));
    let option = move |version: Version| {
        let Version { number: own, note, pairs, .. } = version;
        let text = move || {
            let note = if note.is_empty() { String::new() } else { format!(" · {note}") };
            format!("{} {own} · {} {}{note}", words().version_number, count(pairs), words().pairs)
        };
        let is_chosen = move || number.get() == Some(own);
        view! { <option value=own.to_string() prop:selected=is_chosen>{text}</option> }
    };
    let choose = move |number: String| {
        let id = chosen.with_untracked(|it| it.as_ref().map(|it| it.id));
        form.update(|form| {
            // Who chooses a version has chosen its dataset.
            form.dataset = id;
            form.version = number.parse().ok();
        });
    };
    view! {
        <div class="option wide">
            <label for="evaluate-version">{move || words().version}</label>
            <select
                id="evaluate-version"
                data-testid="evaluate-version"
                aria-describedby="evaluate-version-help"
                on:change:target=move |event| choose(event.target().value())
            >
                <option value="" prop:selected=move || number.get().is_none()>
                    {move || words().as_it_is}
                </option>
                {move || versions.get().into_iter().map(option).collect_view()}
            </select>
            <p id="evaluate-version-help" class="help">{move || words().version_help}</p>
        </div>
    }
}
