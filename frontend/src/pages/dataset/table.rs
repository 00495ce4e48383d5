//! The rows.

use std::sync::Arc;

use leptos::{ev, prelude::*};

use super::{row::RowCells, views::Views};
use crate::{
    components::virtual_list::{RowView, VirtualList},
    curating::{Curating, use_curating},
    i18n,
};

/// Number, question, answer, notes, tokens, actions.
pub(super) const COLUMNS: usize = 6;

#[component]
pub(super) fn Table(views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let row: RowView = Arc::new(move |key| view! { <RowCells key views /> }.into_any());
    let press = move |(key, event): (i64, ev::KeyboardEvent)| match event.key().as_str() {
        "Enter" | "F2" => {
            event.prevent_default();
            curating.edit_row(key);
        }
        "Delete" => delete(curating, views, key),
        _ => {}
    };
    let name = move |name: fn(&i18n::dataset::Words) -> &'static str| {
        view! { <span role="columnheader">{move || name(&words.get().dataset)}</span> }
    };
    let heading = view! {
        <span role="columnheader" aria-label=move || words.get().dataset.number>"#"</span>
        {name(|words| words.question)}
        {name(|words| words.answer)}
        {name(|words| words.notes)}
        {name(|words| words.tokens)}
        {name(|words| words.actions)}
    };
    let is_none = Memo::new(move |_| views.keys.with(|keys| keys.is_empty()));
    let label = Signal::derive(move || words.get().dataset.rows_help.to_owned());
    view! {
        <div class="table" class:none=move || is_none.get()>
            <VirtualList
                keys=views.keys
                open=views.open
                active=views.active
                go_to=views.go_to
                label
                columns=COLUMNS
                heading=heading.into_any()
                row
                on_key=press
            />
        </div>
        <Show when=move || is_none.get()>
            <p class="nothing-found" data-testid="dataset-nothing-found">
                {move || words.get().dataset.nothing_found}
            </p>
        </Show>
    }
}

/// Deletes a row; the keyboard goes on at the next one.
pub(super) fn delete(curating: Curating, views: Views, key: i64) {
    let next = views.keys.with_untracked(|keys| {
        let place = keys.binary_search(&key).ok()?;
        keys.get(place + 1).or_else(|| keys.get(place.checked_sub(1)?)).copied()
    });
    curating.delete(&[key]);
    views.walk_to(next);
}
