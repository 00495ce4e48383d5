//! The inspector at work: its state, and the worker that it asks.

use leptos::{ev, prelude::*, task::spawn_local};
use weft_shared::pair::Pair;

use crate::{
    encoding::{Encoding, use_encoding},
    state::inspect::{Inspector, published},
    tokenizing::{Tokenizing, use_tokenizing},
    worker::{Answer, Request},
};

/// What the inspector knows, also while its page is not shown.
#[derive(Clone, Copy)]
struct Kept(RwSignal<Inspector>);

/// Starts with the example that the tutorial prints.
pub(super) fn provide() {
    let options = use_encoding().options.get_untracked();
    provide_context(Kept(RwSignal::new(Inspector::new(published(), options))));
}

/// Handles to all of it; copies are of the same desk.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) inspector: RwSignal<Inspector>,
    pub(super) tokenizing: Tokenizing,
    pub(super) encoding: Encoding,
}

impl Desk {
    pub(super) fn new() -> Self {
        let Kept(inspector) = expect_context();
        let desk = Self { inspector, tokenizing: use_tokenizing(), encoding: use_encoding() };
        Effect::new(move || {
            let options = desk.encoding.options.get();
            desk.change(|inspector| inspector.encode_with(options));
        });
        Effect::new(move || {
            if desk.tokenizing.vocabulary.with(Option::is_some) {
                desk.change(Inspector::vocabulary_changed);
            }
        });
        desk
    }

    pub(super) fn edit(self, pair: Pair) {
        self.change(|inspector| inspector.edit(pair));
    }

    pub(super) fn show_more(self) {
        self.change(Inspector::show_more);
    }

    /// Reads a file that was dropped on the page.
    pub(super) fn drop(self, event: &ev::DragEvent) {
        event.prevent_default();
        let files = event.data_transfer().and_then(|data| data.files());
        if let Some(file) = files.and_then(|files| files.get(0)) {
            self.tokenizing.open_file(file);
        }
    }

    /// Changes the inspector, and asks the worker what it then wants to know, and what it wants to know after that.
    fn change(self, change: impl FnOnce(&mut Inspector) -> Option<Request>) {
        let mut wanted = self.inspector.try_update(change).flatten();
        spawn_local(async move {
            while let Some(request) = wanted.take() {
                if let Some(Answer::Sampled(sampled)) = self.tokenizing.ask(&request, None).await {
                    let receive = |inspector: &mut Inspector| inspector.receive(*sampled);
                    wanted = self.inspector.try_update(receive).flatten();
                }
            }
        });
    }
}
