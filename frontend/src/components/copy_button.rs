//! A button that copies a text and says that it did.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

use crate::i18n;

/// How long the button says so.
const CONFIRMED_MS: u32 = 1600;

#[component]
pub fn CopyButton(
    #[prop(into)] text: Signal<String>,
    /// What the button says; by default that the copy is JSON.
    #[prop(into, optional)]
    label: Option<Signal<&'static str>>,
) -> impl IntoView {
    // Browsers give pages the clipboard on this machine and over TLS only.
    let clipboard = window().navigator().clipboard();
    if clipboard.is_undefined() {
        return None;
    }
    let words = i18n::use_words();
    let clipboard = StoredValue::new_local(clipboard);
    let is_copied = RwSignal::new(false);
    let copy = move |_| {
        let copying = clipboard.with_value(|it| it.write_text(&text.get_untracked()));
        spawn_local(async move {
            if JsFuture::from(copying).await.is_ok() {
                is_copied.set(true);
                TimeoutFuture::new(CONFIRMED_MS).await;
                is_copied.set(false);
            }
        });
    };
    let label = move || {
        let inspect = &words.get().inspect;
        if is_copied.get() {
            return inspect.copied;
        }
        label.map_or(inspect.copy, |label| label.get())
    };
    Some(view! {
        <button class="quiet" type="button" on:click=copy>
            <span aria-live="polite">{label}</span>
        </button>
    })
}
