//! Conversations that the server keeps: saved after each reply, opened, renamed, deleted.

use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::conversation::ConversationContent;

use super::Desk;
use crate::{
    api::{self, CallError},
    state::chat::{Conversation, adapter_of},
};

const NOT_FOUND: u16 = 404;

impl Desk {
    /// The id of the open conversation, once it is kept.
    pub(in super::super) fn id(self) -> Option<i64> {
        let opened = self.opened.get();
        self.kept_as.with(|kept_as| kept_as.get(&opened).copied())
    }

    /// Keeps the open conversation as it now is.
    pub(super) fn keep(self) {
        let content = self.conversation.with_untracked(Conversation::content);
        let opened = self.opened.get_untracked();
        let keeping = self.keeping.get_value();
        if content.turns.is_empty() {
            return;
        }
        self.tell(async move {
            let _alone = keeping.lock().await;
            let id = self.kept_as.with_untracked(|kept_as| kept_as.get(&opened).copied());
            let id = keep_as(id, &content).await?;
            self.kept_as.update(|kept_as| {
                kept_as.insert(opened, id);
            });
            self.refresh_conversations();
            Ok(())
        });
    }

    pub(super) fn refresh_conversations(self) {
        spawn_local(async move {
            match api::conversations::list().await {
                Ok(list) => self.conversations.set(list),
                Err(error) => self.trouble.set(Some(error)),
            }
        });
    }

    pub(in super::super) fn new_conversation(self) {
        self.stop();
        self.put_down();
    }

    /// An empty conversation in the place of the open one.
    fn put_down(self) {
        self.saving.set(None);
        self.saved.set(None);
        self.opened.update(|opened| *opened += 1);
        self.conversation.set(Conversation::default());
    }

    pub(in super::super) fn open(self, id: i64) {
        self.stop();
        let keeping = self.keeping.get_value();
        self.tell(async move {
            // What was just stopped may be this very conversation.
            let _alone = keeping.lock().await;
            let content = api::conversations::get(id).await?.content;
            self.put_down();
            self.asked.update_value(|asked| *asked += 1);
            let conversation = Conversation::from_content(content, self.asked.get_value());
            self.choose_adapter_of(&conversation);
            self.conversation.set(conversation);
            let opened = self.opened.get_untracked();
            self.kept_as.update(|kept_as| {
                kept_as.insert(opened, id);
            });
            Ok(())
        });
    }

    /// Whoever answered last answers next, where it still can.
    fn choose_adapter_of(self, conversation: &Conversation) {
        let base = self.server.model.with_untracked(|it| it.as_ref().map(|it| it.name.clone()));
        let last = conversation.last_model().unwrap_or_default();
        let Some(adapter) = base.and_then(|base| adapter_of(last, &base).map(str::to_owned)) else {
            return;
        };
        let is_there = |name: &str| {
            let can = |it: &weft_shared::api::adapter::AdapterInfo| it.is_usable && it.name == name;
            self.server.adapters.with_untracked(|all| all.iter().any(can))
        };
        if adapter.is_empty() || is_there(&adapter) {
            self.adapter.set(adapter);
        }
    }

    pub(in super::super) fn rename(self, id: i64, title: String) {
        if untrack(move || self.id()) == Some(id) {
            self.conversation.update(|it| it.title = Some(title));
            return self.keep();
        }
        self.tell(async move {
            let mut content = api::conversations::get(id).await?.content;
            content.title = title;
            api::conversations::replace(id, &content).await?;
            self.refresh_conversations();
            Ok(())
        });
    }

    pub(in super::super) fn delete(self, id: i64) {
        if untrack(move || self.id()) == Some(id) {
            self.abort();
            self.put_down();
        }
        let keeping = self.keeping.get_value();
        self.tell(async move {
            let _alone = keeping.lock().await;
            api::conversations::delete(id).await?;
            self.refresh_conversations();
            Ok(())
        });
    }
}

/// Under its id, or under a new one where it has none or somebody deleted it meanwhile.
async fn keep_as(id: Option<i64>, content: &ConversationContent) -> Result<i64, CallError> {
    if let Some(id) = id {
        match api::conversations::replace(id, content).await {
            Err(error) if error.status() == Some(NOT_FOUND) => {}
            kept => return kept.map(|kept| kept.id),
        }
    }
    api::conversations::create(content).await.map(|kept| kept.id)
}
