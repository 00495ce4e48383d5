//! All that a run was made of, to read, to keep and to repeat.

use leptos::prelude::*;

use crate::{components::copy_button::CopyButton, i18n};

#[component]
pub fn ManifestView(
    /// Where the file is.
    #[prop(into)]
    url: Signal<String>,
    /// What the file is called when it is kept.
    #[prop(into)]
    file: Signal<String>,
    /// Its text without the pairs, once it was asked for.
    #[prop(into)]
    text: Signal<Option<String>>,
    #[prop(into)] on_show: Callback<bool>,
) -> impl IntoView {
    let words = i18n::use_words();
    let run = move || &words.get().train.run;
    let command =
        Memo::new(move |_| format!("weft train --manifest {} --output adapter", file.get()));
    let is_shown = Memo::new(move |_| text.with(Option::is_some));
    let label = move || if is_shown.get() { run().hide_manifest } else { run().show_manifest };
    view! {
        <section class="manifest" aria-labelledby="manifest-title" data-testid="train-manifest">
            <h3 id="manifest-title">{move || run().manifest}</h3>
            <p class="help">{move || run().manifest_help}</p>
            <div class="command">
                <code class="mono" tabindex="0">{command}</code>
                <CopyButton text=command />
            </div>
            <div class="actions">
                <a class="quiet" href=url download=file data-testid="train-manifest-download">
                    {move || run().download}
                </a>
                <button
                    class="quiet"
                    type="button"
                    aria-expanded=move || is_shown.get().to_string()
                    on:click=move |_| on_show.run(!is_shown.get_untracked())
                >
                    {label}
                </button>
            </div>
            <Show when=move || is_shown.get()>
                <pre class="mono" tabindex="0">{text}</pre>
            </Show>
        </section>
    }
}
