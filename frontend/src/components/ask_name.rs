//! A small form that asks for one line: a name, a note.

use leptos::{ev, html, prelude::*};

use crate::i18n;

#[component]
pub fn AskName(
    #[prop(into)] label: Signal<&'static str>,
    test_id: &'static str,
    #[prop(into, optional)] start: String,
    /// On the button that ends it well.
    #[prop(into)]
    action: Signal<&'static str>,
    /// Whether nothing is an answer too.
    #[prop(optional)]
    may_be_empty: bool,
    #[prop(into)] on_name: Callback<String>,
    #[prop(into)] on_cancel: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let input = NodeRef::<html::Input>::new();
    let name = RwSignal::new(start);
    Effect::new(move || {
        if let Some(input) = input.get() {
            request_animation_frame(move || {
                // It may be gone again by now.
                let _ = input.focus();
                input.select();
            });
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let name = name.get_untracked().trim().to_owned();
        if may_be_empty || !name.is_empty() {
            on_name.run(name);
        }
    };
    let press = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" && !event.is_composing() {
            on_cancel.run(());
        }
    };
    view! {
        <form class="ask" on:submit=submit on:keydown=press>
            <label>
                <span class="visually-hidden">{label}</span>
                <input
                    type="text"
                    class="text"
                    maxlength="200"
                    autocomplete="off"
                    data-testid=test_id
                    placeholder=label
                    node_ref=input
                    prop:value=name
                    on:input:target=move |event| name.set(event.target().value())
                />
            </label>
            <button class="button" type="submit" data-testid=format!("{test_id}-ok")>{action}</button>
            <button class="quiet" type="button" on:click=move |_| on_cancel.run(())>
                {move || words.get().dataset.cancel}
            </button>
        </form>
    }
}
