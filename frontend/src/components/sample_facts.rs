//! How many tokens a sample has, and how many of them are read and learned.

use leptos::prelude::*;

use crate::{i18n, worker::Sampled};

#[component]
pub fn SampleFacts(#[prop(into)] sampled: Signal<Sampled>) -> impl IntoView {
    let words = i18n::use_words();
    let tokens = move || sampled.with(|it| it.encoded().map_or(0, |it| it.sample.len()));
    let learned = move || sampled.with(|it| it.encoded().map_or(0, |it| it.sample.learned()));
    let characters = move || sampled.with(|it| it.text.chars().count());
    let took = move || sampled.with(|it| format!("{:.1}", it.took_ms));
    view! {
        <dl class="sample-facts" class:none=move || tokens() == 0>
            <div class="main">
                <dt>{move || words.get().inspect.tokens}</dt>
                <dd data-testid="inspect-count">{tokens}</dd>
            </div>
            <div>
                <dt>{move || words.get().inspect.read_count}</dt>
                <dd>{move || tokens() - learned()}</dd>
            </div>
            <div class="is-learned">
                <dt>{move || words.get().inspect.learned_count}</dt>
                <dd data-testid="inspect-learned">{learned}</dd>
            </div>
            <div>
                <dt>{move || words.get().inspect.characters}</dt>
                <dd>{characters}</dd>
            </div>
            <div>
                <dt>{move || words.get().inspect.took}</dt>
                <dd>{took}</dd>
            </div>
        </dl>
    }
}
