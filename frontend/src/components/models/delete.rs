//! Asks again before an adapter is gone.

use leptos::prelude::*;

use crate::i18n;

#[component]
pub fn Delete(on_delete: Callback<()>) -> impl IntoView {
    let words = i18n::use_words();
    let is_asked = RwSignal::new(false);
    let ask = move || {
        view! {
            <button class="quiet danger" type="button" data-testid="models-delete" on:click=move |_| is_asked.set(true)>
                {move || words.get().models.delete}
            </button>
        }
    };
    view! {
        <Show when=move || is_asked.get() fallback=ask>
            <span class="sure" role="group" aria-label=move || words.get().models.delete_sure>
                <span class="hint">{move || words.get().models.delete_sure}</span>
                <button class="quiet danger" type="button" data-testid="models-delete-confirm" on:click=move |_| on_delete.run(())>
                    {move || words.get().models.delete}
                </button>
                <button class="quiet" type="button" on:click=move |_| is_asked.set(false)>
                    {move || words.get().models.cancel}
                </button>
            </span>
        </Show>
    }
}
