//! The conversations that are kept.

use leptos::{html, prelude::*};
use weft_shared::api::conversation::ConversationSummary;

use crate::i18n;

#[component]
pub fn ConversationList(
    #[prop(into)] conversations: Signal<Vec<ConversationSummary>>,
    #[prop(into)] open: Signal<Option<i64>>,
    #[prop(into)] on_new: Callback<()>,
    #[prop(into)] on_open: Callback<i64>,
    #[prop(into)] on_rename: Callback<(i64, String)>,
    #[prop(into)] on_delete: Callback<i64>,
) -> impl IntoView {
    let words = i18n::use_words();
    view! {
        <section class="conversations" aria-labelledby="conversations-title">
            <div class="bar">
                <h2 id="conversations-title">{move || words.get().chat.conversations}</h2>
                <button class="quiet" type="button" data-testid="chat-new" on:click=move |_| on_new.run(())>
                    {move || words.get().chat.new}
                </button>
            </div>
            <Show when=move || conversations.with(Vec::is_empty)>
                <p class="quiet-text">{move || words.get().chat.no_conversations}</p>
            </Show>
            <ul>
                <For
                    each=move || conversations.get()
                    key=|it| (it.id, it.title.clone())
                    children=move |it| view! { <Entry it open on_open on_rename on_delete /> }
                />
            </ul>
        </section>
    }
}

#[component]
fn Entry(
    it: ConversationSummary,
    open: Signal<Option<i64>>,
    on_open: Callback<i64>,
    on_rename: Callback<(i64, String)>,
    on_delete: Callback<i64>,
) -> impl IntoView {
    let words = i18n::use_words();
    let (id, title) = (it.id, it.title);
    let name = RwSignal::new(title.clone());
    let is_renamed = RwSignal::new(false);
    let is_sure = RwSignal::new(false);
    let keep = move || {
        let new_title = name.get_untracked().trim().to_owned();
        if !new_title.is_empty() {
            is_renamed.set(false);
            on_rename.run((id, new_title));
        }
    };
    let delete = move |_| {
        if is_sure.get_untracked() {
            on_delete.run(id);
        }
        is_sure.set(true);
    };
    let delete_word = move || {
        let chat = &words.get().chat;
        if is_sure.get() { chat.delete_sure } else { chat.delete }
    };
    let shown = title.clone();
    let title = StoredValue::new(title);
    let named = move |word: &str| format!("{word}: {}", title.get_value());
    let field = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            let _ = field.focus();
            field.select();
        }
    });
    view! {
        <li class="conversation" class:open=move || open.get() == Some(id)>
            <Show
                when=move || is_renamed.get()
                fallback=move || {
                    view! {
                        <button
                            class="name"
                            type="button"
                            data-testid="chat-conversation"
                            aria-current=move || (open.get() == Some(id)).then_some("true")
                            on:click=move |_| on_open.run(id)
                        >
                            {shown.clone()}
                        </button>
                    }
                }
            >
                <input
                    type="text"
                    data-testid="chat-conversation-name"
                    node_ref=field
                    aria-label=move || words.get().chat.rename
                    prop:value=name
                    on:input:target=move |event| name.set(event.target().value())
                    on:keydown=move |event| {
                        match event.key().as_str() {
                            "Enter" if !event.is_composing() => keep(),
                            "Escape" => is_renamed.set(false),
                            _ => {}
                        }
                    }
                />
                <button class="quiet" type="button" data-testid="chat-rename-keep" on:click=move |_| keep()>
                    {move || words.get().chat.keep}
                </button>
            </Show>
            <div class="tools">
                <button
                    class="quiet"
                    type="button"
                    data-testid="chat-rename"
                    aria-label=move || named(words.get().chat.rename)
                    on:click=move |_| is_renamed.update(|it| *it = !*it)
                >
                    {move || words.get().chat.rename}
                </button>
                <button
                    class="quiet danger"
                    type="button"
                    data-testid="chat-delete"
                    aria-label=move || named(delete_word())
                    on:click=delete
                    on:blur=move |_| is_sure.set(false)
                >
                    {delete_word}
                </button>
            </div>
        </li>
    }
}
