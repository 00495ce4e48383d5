//! Conversations, as the page last had them.

use rusqlite::{OptionalExtension as _, params};
use weft_shared::api::conversation::{Conversation, ConversationContent, ConversationSummary};

use super::{Result, Store, StoreError, json::Json, now_ms};

impl Store {
    pub fn create_conversation(&self, content: &ConversationContent) -> Result<Conversation> {
        let updated_ms = now_ms();
        let connection = self.lock();
        connection.execute(
            "INSERT INTO conversation (updated_ms, title, turns) VALUES (?, ?, ?)",
            params![updated_ms, content.title, Json(&content.turns)],
        )?;
        let id = connection.last_insert_rowid();
        Ok(Conversation { id, updated_ms, content: content.clone() })
    }

    /// The one that was changed last comes first.
    pub fn conversations(&self) -> Result<Vec<ConversationSummary>> {
        let connection = self.lock();
        let mut select = connection.prepare_cached(
            "SELECT id, title, updated_ms FROM conversation ORDER BY updated_ms DESC, id DESC",
        )?;
        let summaries = select.query_map([], |row| {
            Ok(ConversationSummary { id: row.get(0)?, title: row.get(1)?, updated_ms: row.get(2)? })
        })?;
        Ok(summaries.collect::<rusqlite::Result<_>>()?)
    }

    pub fn conversation(&self, id: i64) -> Result<Conversation> {
        let read = |row: &rusqlite::Row<'_>| {
            let content =
                ConversationContent { title: row.get(1)?, turns: row.get::<_, Json<_>>(2)?.0 };
            Ok(Conversation { id, updated_ms: row.get(0)?, content })
        };
        self.lock()
            .prepare_cached("SELECT updated_ms, title, turns FROM conversation WHERE id = ?")?
            .query_row([id], read)
            .optional()?
            .ok_or(StoreError::NoConversation(id))
    }

    pub fn replace_conversation(
        &self,
        id: i64,
        content: &ConversationContent,
    ) -> Result<Conversation> {
        let updated_ms = now_ms();
        let replaced = self.lock().execute(
            "UPDATE conversation SET updated_ms = ?, title = ?, turns = ? WHERE id = ?",
            params![updated_ms, content.title, Json(&content.turns), id],
        )?;
        match replaced {
            0 => Err(StoreError::NoConversation(id)),
            _ => Ok(Conversation { id, updated_ms, content: content.clone() }),
        }
    }

    pub fn delete_conversation(&self, id: i64) -> Result<()> {
        match self.lock().execute("DELETE FROM conversation WHERE id = ?", [id])? {
            0 => Err(StoreError::NoConversation(id)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::api::conversation::{ChatTurn, Reply};

    use super::*;

    fn content(title: &str) -> ConversationContent {
        let reply = Reply {
            model: "base:mine".into(),
            text: "回答".into(),
            finish_reason: Some("stop".into()),
            seed: Some(7),
        };
        let turn = ChatTurn { question: "问题".into(), replies: vec![reply.clone(), reply] };
        ConversationContent { title: title.into(), turns: vec![turn] }
    }

    #[test]
    fn a_conversation_is_kept_replaced_and_deleted() {
        let store = Store::in_memory().unwrap();

        let created = store.create_conversation(&content("one")).unwrap();
        assert_eq!(store.conversation(created.id).unwrap(), created);

        let replaced = store.replace_conversation(created.id, &content("two")).unwrap();
        assert_eq!(replaced.content, content("two"));
        assert_eq!(store.conversation(created.id).unwrap(), replaced);

        store.delete_conversation(created.id).unwrap();
        assert!(store.conversations().unwrap().is_empty());
    }

    #[test]
    fn what_was_changed_last_comes_first() {
        let store = Store::in_memory().unwrap();
        let first = store.create_conversation(&content("first")).unwrap().id;
        let second = store.create_conversation(&content("second")).unwrap().id;
        let ids = || store.conversations().unwrap().iter().map(|c| c.id).collect::<Vec<_>>();
        assert_eq!(ids(), [second, first]);

        std::thread::sleep(std::time::Duration::from_millis(2));
        store.replace_conversation(first, &content("first")).unwrap();

        assert_eq!(ids(), [first, second]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let store = Store::in_memory().unwrap();

        assert!(matches!(store.conversation(1), Err(StoreError::NoConversation(1))));
        assert!(matches!(store.delete_conversation(1), Err(StoreError::NoConversation(1))));
        let replaced = store.replace_conversation(1, &content(""));
        assert!(matches!(replaced, Err(StoreError::NoConversation(1))));
    }
}
