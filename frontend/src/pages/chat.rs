//! Chat: a conversation with the base or an adapter, or with both side by side.

mod desk;
mod follow;
#[expect(unreachable_pub, reason = "the macro makes the properties of a component public")]
mod turn;

use desk::Desk;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

pub(crate) use self::desk::provide;
use self::{follow::follow, turn::TurnView};
use crate::{
    components::{
        chat::{
            answerer::Answerer, composer::Composer, conversation_list::ConversationList,
            empty::Empty, sampling::Sampling,
        },
        notice::Notice,
    },
    i18n::{self, trouble},
    state::chat::Conversation,
};

#[component]
pub fn ChatPage() -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let desk = Desk::enter(use_query_map().with_untracked(|query| query.get("adapter")));
    let end = follow(desk.conversation);

    let conversation = desk.conversation;
    let turns = Memo::new(move |_| {
        let numbered = |it: &Conversation| {
            it.turns.iter().map(|turn| turn.asked).enumerate().collect::<Vec<_>>()
        };
        conversation.with(numbered)
    });
    let is_writing = Memo::new(move |_| conversation.with(Conversation::is_writing));
    let has_card = Signal::derive(move || {
        desk.server.model.with(|it| it.as_ref().is_some_and(|it| it.card.is_some()))
    });
    let trouble = move || {
        let what = move |error| Signal::derive(move || trouble::explain(&error, language.get()));
        desk.trouble.get().map(|error| view! { <Notice what=what(error) /> })
    };

    view! {
        <div class="page chat">
            <header class="title">
                <h1>{move || words.get().chat.title}</h1>
                <p class="lead">{move || words.get().chat.lead}</p>
            </header>
            <div class="columns">
                <div class="column talk">
                    <div class="turns">
                        <Show when=move || turns.with(Vec::is_empty)>
                            <Empty
                                has_card
                                on_ask=move |question| {
                                    desk.draft.set(question);
                                    desk.send();
                                }
                            />
                        </Show>
                        <For
                            each=move || turns.get()
                            key=|&turn| turn
                            children=move |(turn, asked)| view! { <TurnView desk turn asked is_writing /> }
                        />
                    </div>
                    <p class="end" node_ref=end></p>
                    <Announcement conversation is_writing />
                    {trouble}
                    <Composer
                        draft=desk.draft
                        is_writing
                        on_send=move |()| desk.send()
                        on_stop=move |()| desk.stop()
                        field=desk.field
                    />
                </div>
                <div class="column side">
                    <Answerer
                        adapters=desk.server.adapters
                        has_adapters=desk.server.has_adapters
                        chosen=desk.adapter
                        is_compared=desk.is_compared
                    />
                    <Sampling settings=desk.settings />
                    <ConversationList
                        conversations=desk.conversations
                        open=Signal::derive(move || desk.id())
                        on_new=move |()| desk.new_conversation()
                        on_open=move |id| desk.open(id)
                        on_rename=move |(id, title)| desk.rename(id, title)
                        on_delete=move |id| desk.delete(id)
                    />
                </div>
            </div>
        </div>
    }
}

/// Says once that a reply is complete, to those who do not see it: word by word would be noise. A failure is told by its
/// own notice, and a conversation that is opened is no news.
#[component]
fn Announcement(conversation: RwSignal<Conversation>, is_writing: Memo<bool>) -> impl IntoView {
    let words = i18n::use_words();
    let is_news = Memo::new(move |before: Option<&(bool, bool)>| {
        let is_writing = is_writing.get();
        let has_ended = !is_writing && before.is_some_and(|&(was_writing, _)| was_writing);
        (is_writing, has_ended && conversation.with_untracked(Conversation::is_answered))
    });
    view! {
        <p class="visually-hidden" role="status" data-testid="chat-announcement">
            {move || is_news.get().1.then(|| words.get().chat.reply_ready)}
        </p>
    }
}
