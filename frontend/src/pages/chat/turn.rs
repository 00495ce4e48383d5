//! A question with its replies, and the form that saves one of them as a pair.

use leptos::prelude::*;

use super::desk::Desk;
use crate::{
    components::chat::{question::Question, reply_card::ReplyCard, save_pair::SavePair},
    i18n,
    state::chat::{LiveReply, Place},
};

#[component]
pub(super) fn TurnView(
    desk: Desk,
    turn: usize,
    asked: u64,
    is_writing: Memo<bool>,
) -> impl IntoView {
    let conversation = desk.conversation;
    let (question, replies) = conversation.with_untracked(|it| {
        let it = it.turns.get(turn);
        it.map(|it| (it.question.clone(), it.replies.len())).unwrap_or_default()
    });
    let is_last = Memo::new(move |_| conversation.with(|it| it.turns.len()) == turn + 1);
    let is_repeatable = Signal::derive(move || is_last.get() && !is_writing.get());
    let asked_question = StoredValue::new(question.clone());
    let card = move |reply: usize| {
        let place = Place { turn, asked, reply };
        let live = Memo::new(move |before: Option<&LiveReply>| {
            // A reply that was just taken out is shown as it was, for the moment until its card is gone.
            let now = conversation.with(|it| it.get(place).cloned());
            now.or_else(|| before.cloned()).unwrap_or_default()
        });
        let form = move || {
            view! {
                <SavePair
                    question=asked_question.get_value()
                    answer=live.get_untracked().reply.text
                    history=conversation.with_untracked(|it| it.history(place))
                    datasets=desk.datasets
                    is_busy=desk.is_saving
                    on_save=move |(target, pair)| desk.save(place, target, pair)
                    on_cancel=move |()| desk.saving.set(None)
                />
            }
        };
        view! {
            <div class="answer">
                <ReplyCard
                    reply=live
                    is_repeatable
                    on_again=move |()| desk.again(turn)
                    on_save=move |()| desk.begin_saving(place)
                />
                <Show when=move || desk.saving.get() == Some(place)>{form}</Show>
                <Saved desk place />
            </div>
        }
    };
    view! {
        <div class="turn">
            <Question text=question is_last on_ask=move |question| desk.ask_instead(turn, question) />
            <div class="replies" class:several=replies != 1>
                {(0..replies).map(card).collect_view()}
            </div>
        </div>
    }
}

/// Where a reply went.
#[component]
fn Saved(desk: Desk, place: Place) -> impl IntoView {
    let words = i18n::use_words();
    let dataset =
        move || desk.saved.get().filter(|(saved, _)| *saved == place).map(|(_, name)| name);
    view! {
        <div role="status">
            {move || {
                dataset()
                    .map(|name| {
                        view! {
                            <p class="saved" data-testid="chat-saved">
                                {move || words.get().chat.saved}
                                " "
                                <b>{name}</b>
                                " · "
                                <a href="/dataset">{move || words.get().chat.see_dataset}</a>
                            </p>
                        }
                    })
            }}
        </div>
    }
}
