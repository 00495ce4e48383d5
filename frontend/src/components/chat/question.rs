//! A question that was asked, and the way to ask it otherwise.

use leptos::{ev, html, prelude::*};

use super::keys;
use crate::i18n;

#[component]
pub fn Question(
    text: String,
    /// Whether something was said after it, which asking it otherwise would drop.
    #[prop(into)]
    is_last: Signal<bool>,
    /// The question as it is to be asked.
    #[prop(into)]
    on_ask: Callback<String>,
) -> impl IntoView {
    let words = i18n::use_words();
    let text = StoredValue::new(text);
    let is_edited = RwSignal::new(false);
    view! {
        <div class="asked">
            <p class="visually-hidden">{move || words.get().chat.you}</p>
            <Show
                when=move || is_edited.get()
                fallback=move || {
                    view! {
                        <p class="question">{text.get_value()}</p>
                        <button class="quiet" type="button" data-testid="chat-edit" on:click=move |_| is_edited.set(true)>
                            {move || words.get().chat.edit}
                        </button>
                    }
                }
            >
                <Editor text=text.get_value() is_last on_ask on_cancel=move |()| is_edited.set(false) />
            </Show>
        </div>
    }
}

#[component]
fn Editor(
    text: String,
    is_last: Signal<bool>,
    on_ask: Callback<String>,
    #[prop(into)] on_cancel: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let draft = RwSignal::new(text);
    let field = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    let is_empty = move || draft.with(|draft| draft.trim().is_empty());
    let ask = move || {
        if !is_empty() {
            on_ask.run(draft.get_untracked().trim().to_owned());
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if keys::sends(&event) {
            event.prevent_default();
            ask();
        } else if event.key() == "Escape" {
            on_cancel.run(());
        }
    };
    view! {
        <div class="editor">
            <textarea
                rows="2"
                data-testid="chat-edit-question"
                aria-label=move || words.get().chat.question
                node_ref=field
                prop:value=draft
                on:input:target=move |event| draft.set(event.target().value())
                on:keydown=on_key
            ></textarea>
            <div class="bar">
                <span class="hint">{move || (!is_last.get()).then(|| words.get().chat.edit_drops)}</span>
                <span>
                    <button class="quiet" type="button" on:click=move |_| on_cancel.run(())>
                        {move || words.get().chat.cancel}
                    </button>
                    <button class="button" type="button" data-testid="chat-edit-send" disabled=is_empty on:click=move |_| ask()>
                        {move || words.get().chat.send}
                    </button>
                </span>
            </div>
        </div>
    }
}
