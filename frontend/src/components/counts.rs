//! How many tokens a text has, and how that compares with its length.

use leptos::prelude::*;

use crate::{i18n, state::inspect::Inspector};

#[component]
pub fn Counts(#[prop(into)] inspector: Signal<Inspector>) -> impl IntoView {
    let words = i18n::use_words();
    let tokens = move || inspector.with(|it| it.inspected().ids.len());
    let characters = move || inspector.with(|it| it.inspected().text.chars().count());
    let bytes = move || inspector.with(|it| it.inspected().text.len());
    let took = move || inspector.with(|it| format!("{:.1}", it.inspected().took_ms));
    let per_token = move || match tokens() {
        0 => "–".to_owned(),
        count => format!("{:.2}", characters() as f64 / count as f64),
    };
    view! {
        <div class="bar">
            <h2 id="tokens-title">{move || words.get().inspect.tokens}</h2>
            <dl class="counts" class:none=move || tokens() == 0>
                <div class="main">
                    <dt>{move || words.get().inspect.tokens}</dt>
                    <dd data-testid="inspect-count">{tokens}</dd>
                </div>
                <div>
                    <dt>{move || words.get().inspect.characters}</dt>
                    <dd>{characters}</dd>
                </div>
                <div>
                    <dt>{move || words.get().inspect.bytes}</dt>
                    <dd>{bytes}</dd>
                </div>
                <div>
                    <dt>{move || words.get().inspect.per_token}</dt>
                    <dd>{per_token}</dd>
                </div>
                <div>
                    <dt>{move || words.get().inspect.took}</dt>
                    <dd>{took}</dd>
                </div>
            </dl>
        </div>
    }
}
