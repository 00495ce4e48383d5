//! Pairs to look at: examples, and those of the datasets.

use leptos::prelude::*;
use weft_shared::{api::dataset::DatasetSummary, pair::Pair};

use crate::{i18n, state::inspect::examples};

#[component]
pub fn ExamplePicks(#[prop(into)] on_pick: Callback<Pair>) -> impl IntoView {
    let words = i18n::use_words();
    let buttons = examples().into_iter().enumerate().map(|(number, example)| {
        let name = example.question.clone();
        view! {
            <button
                class="example"
                type="button"
                data-testid=format!("inspect-example-{number}")
                on:click=move |_| on_pick.run(example.clone())
            >
                {name}
            </button>
        }
    });
    view! {
        <div class="examples" role="group" aria-label=move || words.get().inspect.examples>
            {buttons.collect_view()}
        </div>
    }
}

/// Which row of which dataset is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PickedRow {
    pub dataset: i64,
    /// Counted from 0.
    pub row: usize,
    /// How many rows there are.
    pub rows: usize,
}

#[component]
pub fn DatasetPick(
    #[prop(into)] datasets: Signal<Vec<DatasetSummary>>,
    #[prop(into)] picked: Signal<Option<PickedRow>>,
    /// `None`: no dataset.
    #[prop(into)]
    on_dataset: Callback<Option<i64>>,
    /// A row, counted from 0.
    #[prop(into)]
    on_row: Callback<usize>,
) -> impl IntoView {
    let words = i18n::use_words();
    let row = move || picked.get().map_or(0, |picked| picked.row);
    let rows = move || picked.get().map_or(0, |picked| picked.rows);
    let options = move || {
        let of_dataset = |dataset: DatasetSummary| {
            let id = dataset.id;
            let is_picked = move || picked.get().is_some_and(|picked| picked.dataset == id);
            view! {
                <option value=id.to_string() prop:selected=is_picked>
                    {dataset.name}
                </option>
            }
        };
        datasets.get().into_iter().map(of_dataset).collect_view()
    };
    view! {
        <div class="dataset-pick">
            <label for="from-dataset">{move || words.get().inspect.from_dataset}</label>
            <select
                id="from-dataset"
                data-testid="inspect-dataset"
                on:change:target=move |event| on_dataset.run(event.target().value().parse().ok())
            >
                <option value="" prop:selected=move || picked.with(Option::is_none)>
                    {move || words.get().inspect.no_dataset}
                </option>
                {options}
            </select>
            <Show when=move || picked.with(Option::is_some)>
                <button
                    class="quiet"
                    type="button"
                    aria-label=move || words.get().inspect.previous_row
                    disabled=move || row() == 0
                    on:click=move |_| on_row.run(row().saturating_sub(1))
                >
                    "‹"
                </button>
                <label class="visually-hidden" for="dataset-row-number">
                    {move || words.get().inspect.row}
                </label>
                <input
                    id="dataset-row-number"
                    data-testid="inspect-row"
                    type="number"
                    min="1"
                    max=move || rows().to_string()
                    prop:value=move || (row() + 1).to_string()
                    on:change:target=move |event| {
                        let number = event.target().value().parse::<usize>().unwrap_or(1);
                        on_row.run(number.clamp(1, rows().max(1)) - 1);
                    }
                />
                <span class="of">"/ " {rows}</span>
                <button
                    class="quiet"
                    type="button"
                    aria-label=move || words.get().inspect.next_row
                    disabled=move || { row() + 1 >= rows() }
                    on:click=move |_| on_row.run(row() + 1)
                >
                    "›"
                </button>
            </Show>
        </div>
    }
}
