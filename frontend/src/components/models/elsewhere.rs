//! How an adapter is used outside of the page.

use leptos::prelude::*;

use crate::{
    components::markdown::Code,
    i18n,
    state::models::{command, python},
};

/// The published model, for whoever serves the small one.
pub const PUBLISHED: &str = "THUDM/chatglm-6b";

#[component]
pub fn Elsewhere(
    /// The adapter's name, which is also its folder's when the file is unpacked.
    adapter: String,
    /// As `weft --model` wants it.
    model: String,
    /// Whether the model is one that Python's libraries can load too.
    is_published: bool,
) -> impl IntoView {
    let words = i18n::use_words();
    let weft = command(&model, &adapter);
    let python = is_published.then(|| {
        let lines = python(&model, &adapter);
        view! {
            <p>{move || words.get().models.in_python}</p>
            <Code language="python" text=lines />
        }
    });
    view! {
        <details class="elsewhere" data-testid="models-usage">
            <summary>{move || words.get().models.elsewhere}</summary>
            <p>{move || words.get().models.unpack}</p>
            <Code language="sh" text=weft />
            {python}
            <Show when=move || !is_published>
                <p class="quiet-text">{move || words.get().models.only_weft}</p>
            </Show>
        </details>
    }
}
