//! A pair to come.

use leptos::prelude::*;

use super::views::Views;
use crate::{
    components::pair_fields::{Field, PairFields},
    curating::use_curating,
    i18n,
    state::dataset::draft::Draft,
};

#[component]
pub(super) fn NewRow(views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let is_open = Memo::new(move |_| {
        curating.draft.with(|draft| draft.as_ref().is_some_and(|draft| draft.key.is_none()))
    });
    // Counts up with every pair that is added, so that the next one starts with fresh fields.
    let round = RwSignal::new(0_u32);
    let draft = Signal::derive(move || curating.draft.get().unwrap_or_default());
    let is_whole = Memo::new(move |_| draft.with(Draft::is_whole));
    let add = move || {
        curating.name_unnamed(words.get_untracked().dataset.my_pairs);
        let added = curating.commit();
        if let Some(key) = added {
            views.show(key);
        }
        added.is_some()
    };
    let save = move |()| {
        if add() {
            round.update(|round| *round += 1);
        } else {
            focus_first_empty();
        }
    };
    let leave = move |is_outside: bool| {
        if is_outside && is_open.get_untracked() {
            add();
        }
    };
    view! {
        <Show when=move || is_open.get()>
            <div class="new-row">
                <h2>{move || words.get().dataset.new_pair}</h2>
                <For each=move || [round.get()] key=|round| *round let:_round>
                    <PairFields
                        draft
                        on_edit=move |edited: Draft| curating.draft.set(Some(edited))
                        on_save=save
                        on_leave=leave
                        on_revert=move |()| curating.revert()
                        starts_at=Field::Question
                    >
                        <button
                            class="button"
                            type="button"
                            data-testid="dataset-add-pair"
                            disabled=move || !is_whole.get()
                            on:click=move |_| save(())
                        >
                            {move || words.get().dataset.add_this}
                        </button>
                        <button class="quiet" type="button" on:click=move |_| curating.revert()>
                            {move || words.get().dataset.cancel}
                        </button>
                        <span class="hint keys-hint">{move || words.get().dataset.new_keys}</span>
                    </PairFields>
                </For>
            </div>
        </Show>
    }
}

/// Enter in a question leads to its answer.
fn focus_first_empty() {
    for name in ["question", "answer"] {
        let selector = format!(".new-row [data-testid=dataset-{name}]");
        let found = document().query_selector(&selector).ok().flatten();
        let field = found
            .and_then(|it| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlTextAreaElement>(it).ok());
        if let Some(field) = field.filter(|field| field.value().trim().is_empty()) {
            // It is there and can have the focus.
            let _ = field.focus();
            return;
        }
    }
}
