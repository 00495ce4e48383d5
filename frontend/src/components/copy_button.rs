//! A button that copies a text and says that it did.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

use crate::i18n;

/// How long the button says so.
const CONFIRMED_MS: u32 = 1600;

#[component]
pub fn CopyButton(#[prop(into)] text: Signal<String>) -> impl IntoView {
    let words = i18n::use_words();
    let is_copied = RwSignal::new(false);
    let copy = move |_| {
        let copying = window().navigator().clipboard().write_text(&text.get_untracked());
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
        if is_copied.get() { inspect.copied } else { inspect.copy }
    };
    view! {
        <button class="quiet" type="button" on:click=copy>
            <span aria-live="polite">{label}</span>
        </button>
    }
}
