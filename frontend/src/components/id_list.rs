//! The ids of the tokens, linked with their chips.

use leptos::prelude::*;

use super::{copy_button::CopyButton, token_strip::Selected};
use crate::i18n;

#[component]
pub fn IdList(
    /// Of every token.
    #[prop(into)]
    ids: Signal<Vec<u32>>,
    /// How many of them are shown one by one.
    #[prop(into)]
    shown: Signal<usize>,
    selected: Selected,
    is_selected: Selector<Option<usize>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let json = Memo::new(move |_| ids.with(|ids| json(ids)));
    let each = move || {
        ids.with(|ids| ids.iter().copied().take(shown.get()).enumerate().collect::<Vec<_>>())
    };
    view! {
        <section class="ids" aria-labelledby="ids-title">
            <div class="bar">
                <h2 id="ids-title">{move || words.get().inspect.ids}</h2>
                <CopyButton text=json />
            </div>
            <p class="mono numbers" data-testid="inspect-ids" data-value=json>
                <For each key=|&entry| entry let:entry>
                    <Id index=entry.0 id=entry.1 selected is_selected=is_selected.clone() />
                </For>
            </p>
        </section>
    }
}

#[component]
fn Id(
    index: usize,
    id: u32,
    selected: Selected,
    is_selected: Selector<Option<usize>>,
) -> impl IntoView {
    view! {
        <span
            class="id"
            class:selected=move || is_selected.selected(&Some(index))
            on:pointerenter=move |_| selected.set(Some(index))
        >
            {id}
        </span>
        " "
    }
}

fn json(ids: &[u32]) -> String {
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    format!("[{}]", ids.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_json() {
        assert_eq!(json(&[]), "[]");
        assert_eq!(json(&[5, 130_004]), "[5,130004]");
    }
}
