//! A button that asks again before something is gone.

use leptos::{html, prelude::*};

use crate::i18n;

#[component]
pub fn DeleteButton(#[prop(into)] on_delete: Callback<()>) -> impl IntoView {
    let words = i18n::use_words();
    let run = move || &words.get().train.run;
    let is_asking = RwSignal::new(false);
    let keep = NodeRef::<html::Button>::new();
    // The button that was pressed is gone: the keyboard goes on at the harmless answer.
    Effect::new(move || {
        if let Some(keep) = keep.get() {
            let _ = keep.focus();
        }
    });
    view! {
        <Show
            when=move || is_asking.get()
            fallback=move || {
                view! {
                    <button class="quiet" type="button" data-testid="train-delete" on:click=move |_| is_asking.set(true)>
                        {move || run().delete}
                    </button>
                }
            }
        >
            <span class="confirm" role="group" aria-label=move || run().really_delete>
                <span>{move || run().really_delete}</span>
                <button class="quiet danger" type="button" data-testid="train-delete-confirm" on:click=move |_| on_delete.run(())>
                    {move || run().delete}
                </button>
                <button class="quiet" type="button" node_ref=keep on:click=move |_| is_asking.set(false)>
                    {move || run().keep}
                </button>
            </span>
        </Show>
    }
}
