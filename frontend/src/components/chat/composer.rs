//! Where a question is written.

use leptos::{ev, html, prelude::*};

use super::keys;
use crate::i18n;

#[component]
pub fn Composer(
    draft: RwSignal<String>,
    #[prop(into)] is_writing: Signal<bool>,
    #[prop(into)] on_send: Callback<()>,
    #[prop(into)] on_stop: Callback<()>,
    field: NodeRef<html::Textarea>,
) -> impl IntoView {
    let words = i18n::use_words();
    let cannot_send = move || draft.with(|draft| draft.trim().is_empty());
    // The button that was pressed makes room for the other one: the focus goes back to where one writes.
    let back_to_field = move || {
        if let Some(field) = field.get_untracked() {
            let _ = field.focus();
        }
    };
    let send = move || {
        if !is_writing.get_untracked() && !cannot_send() {
            on_send.run(());
            back_to_field();
        }
    };
    let stop = move || {
        on_stop.run(());
        back_to_field();
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if keys::sends(&event) {
            event.prevent_default();
            send();
        } else if event.key() == "Escape" && is_writing.get_untracked() {
            stop();
        }
    };
    view! {
        <form
            class="composer"
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
        >
            <label class="visually-hidden" for="chat-input">
                {move || words.get().chat.input}
            </label>
            <textarea
                id="chat-input"
                data-testid="chat-input"
                rows="2"
                node_ref=field
                placeholder=move || words.get().chat.placeholder
                prop:value=draft
                on:input:target=move |event| draft.set(event.target().value())
                on:keydown=on_key
            ></textarea>
            <Show
                when=move || is_writing.get()
                fallback=move || {
                    view! {
                        <button class="button" type="submit" data-testid="chat-send" disabled=cannot_send>
                            {move || words.get().chat.send}
                        </button>
                    }
                }
            >
                <button class="button stop" type="button" data-testid="chat-stop" on:click=move |_| stop()>
                    {move || words.get().chat.stop}
                </button>
            </Show>
        </form>
    }
}
