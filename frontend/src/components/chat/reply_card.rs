//! One reply: its words as they come, and what can be done with it.

use leptos::prelude::*;

use crate::{
    components::{copy_button::CopyButton, markdown::Markdown, notice::Notice},
    i18n::{self, chat::Words},
    state::chat::{Failure, LiveReply, ReplyState},
};

#[component]
pub fn ReplyCard(
    #[prop(into)] reply: Signal<LiveReply>,
    /// Whether its question can be asked again: it is the last one, and nothing is being written.
    #[prop(into)]
    is_repeatable: Signal<bool>,
    #[prop(into)] on_again: Callback<()>,
    #[prop(into)] on_save: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let state = Memo::new(move |_| reply.with(|it| it.state.clone()));
    let text = Memo::new(move |_| reply.with(|it| it.reply.text.clone()));
    let has_text = Memo::new(move |_| text.with(|text| !text.is_empty()));
    let is_streaming = Memo::new(move |_| state.with(|it| *it == ReplyState::Streaming));
    let failure = move || match state.get() {
        ReplyState::Failed(failure) => {
            let what = Signal::derive(move || explain(&failure, &words.get().chat));
            let next = Signal::derive(move || words.get().chat.failed_next.to_owned());
            Some(view! { <Notice what next /> })
        }
        _ => None,
    };
    let nothing_said = move || {
        let is_done = state.with(|it| matches!(it, ReplyState::Done | ReplyState::Stopped));
        is_done && !has_text.get()
    };
    let facts = move || reply.with(|it| facts(it, &words.get().chat).join(" · "));
    view! {
        <article
            class="reply"
            data-testid="chat-reply"
            data-value=move || state.with(ReplyState::name)
            aria-busy=move || is_streaming.get().to_string()
        >
            <p class="who">{move || reply.with(|it| it.reply.model.clone())}</p>
            <Show when=move || has_text.get()>
                <Markdown text is_unfinished=is_streaming />
            </Show>
            <Show when=move || is_streaming.get() && !has_text.get()>
                <p class="quiet-text thinking">{move || words.get().chat.thinking}</p>
            </Show>
            <Show when=nothing_said>
                <p class="quiet-text">{move || words.get().chat.nothing_said}</p>
            </Show>
            {failure}
            <Show when=move || !is_streaming.get()>
                <div class="bar tools" role="group" aria-label=move || words.get().chat.tools>
                    <span class="hint" data-testid="chat-facts">
                        {facts}
                    </span>
                    <span class="buttons">
                        <Show when=move || has_text.get()>
                            <CopyButton text label=Signal::derive(move || words.get().chat.copy) />
                        </Show>
                        <Show when=move || is_repeatable.get()>
                            <button class="quiet" type="button" data-testid="chat-again" on:click=move |_| on_again.run(())>
                                {move || words.get().chat.regenerate}
                            </button>
                        </Show>
                        <button
                            class="quiet"
                            type="button"
                            data-testid="chat-save-pair"
                            disabled=move || !has_text.get()
                            on:click=move |_| on_save.run(())
                        >
                            {move || words.get().chat.save}
                        </button>
                    </span>
                </div>
            </Show>
        </article>
    }
}

fn explain(failure: &Failure, chat: &Words) -> String {
    match failure {
        Failure::Away => chat.failed_away.to_owned(),
        Failure::NoModel => chat.failed_no_model.to_owned(),
        Failure::TooLong => chat.failed_too_long.to_owned(),
        Failure::Refused(reason) => format!("{}{reason}", chat.failed_refused),
    }
}

/// How it ended, how long it is, how fast it came, and how to get it again.
fn facts(it: &LiveReply, chat: &Words) -> Vec<String> {
    let stopped = (it.state == ReplyState::Stopped).then(|| chat.stopped.to_owned());
    let cut = it.is_cut().then(|| chat.cut.to_owned());
    let tokens = it.usage.map(|usage| format!("{} {}", usage.completion_tokens, chat.tokens));
    let speed = it.tokens_per_second();
    let speed = speed.map(|speed| format!("{speed:.1} {}", chat.tokens_per_second));
    let seed = it.reply.seed.map(|seed| format!("{} {seed}", chat.seed));
    [stopped, cut, tokens, speed, seed].into_iter().flatten().collect()
}
