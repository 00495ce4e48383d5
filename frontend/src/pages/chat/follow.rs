//! Keeps the end of a conversation in sight while it grows.

use leptos::{ev, html, prelude::*};
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::state::chat::Conversation;

/// So near to the end, in pixels, a person reads along.
const NEAR: f64 = 160.0;

/// The element to put at the end. It stays in sight while a reply comes, unless the person has scrolled up to read; a
/// new question, and a conversation that is opened, always bring it back.
pub(super) fn follow(conversation: RwSignal<Conversation>) -> NodeRef<html::P> {
    let end = NodeRef::<html::P>::new();
    let is_followed = StoredValue::new(true);
    let scrolled = window_event_listener(ev::scroll, move |_| {
        is_followed.set_value(is_near(end));
    });
    on_cleanup(move || scrolled.remove());

    let last = Memo::new(move |_| conversation.with(|it| it.turns.last().map(|turn| turn.asked)));
    Effect::new(move |before: Option<Option<u64>>| {
        let last = last.get();
        conversation.track();
        let is_new_question = before != Some(last);
        if last.is_some() && (is_new_question || is_followed.get_value()) {
            // Once the new words are on the page.
            request_animation_frame(move || show(end));
        }
        last
    });
    end
}

fn is_near(end: NodeRef<html::P>) -> bool {
    let height = window().inner_height().ok().and_then(|height| height.as_f64());
    let (Some(end), Some(height)) = (end.get_untracked(), height) else { return true };
    end.get_bounding_client_rect().top() < height + NEAR
}

fn show(end: NodeRef<html::P>) {
    if let Some(end) = end.get_untracked() {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        end.scroll_into_view_with_scroll_into_view_options(&options);
    }
}
