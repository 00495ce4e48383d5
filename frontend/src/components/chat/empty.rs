//! A conversation that has not begun: what the model is, and questions to begin with.

use leptos::prelude::*;

use crate::i18n;

/// In both languages, since the model answers in both.
const STARTERS: [&str; 6] =
    ["你好！", "你是谁？", "法国的首都是哪里？", "Hello!", "What can you do?", "What is 7 + 5?"];

#[component]
pub fn Empty(
    /// Whether the model is the small one that says itself what it can do.
    #[prop(into)]
    has_card: Signal<bool>,
    #[prop(into)] on_ask: Callback<String>,
) -> impl IntoView {
    let words = i18n::use_words();
    let starter = move |question: &'static str| {
        view! {
            <button class="starter" type="button" data-testid="chat-starter" on:click=move |_| on_ask.run(question.to_owned())>
                {question}
            </button>
        }
    };
    view! {
        <div class="empty">
            <p class="invitation">{move || words.get().chat.empty}</p>
            <p class="quiet-text">
                {move || {
                    let chat = &words.get().chat;
                    if has_card.get() { chat.empty_small } else { chat.empty_any }
                }}
                " "
                <a href="/models">{move || words.get().chat.empty_more}</a>
            </p>
            <div class="starters">{STARTERS.map(starter)}</div>
        </div>
    }
}
