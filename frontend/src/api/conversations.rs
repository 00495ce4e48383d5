//! Conversations that are kept.

use weft_shared::api::conversation::{Conversation, ConversationContent, ConversationSummary};

use super::CallError;

/// Newest first.
pub async fn list() -> Result<Vec<ConversationSummary>, CallError> {
    super::get("/api/conversations").await
}

pub async fn get(id: i64) -> Result<Conversation, CallError> {
    super::get(&format!("/api/conversations/{id}")).await
}

pub async fn create(content: &ConversationContent) -> Result<Conversation, CallError> {
    super::post("/api/conversations", content).await
}

pub async fn replace(id: i64, content: &ConversationContent) -> Result<Conversation, CallError> {
    super::put(&format!("/api/conversations/{id}"), content).await
}

pub async fn delete(id: i64) -> Result<(), CallError> {
    super::delete(&format!("/api/conversations/{id}")).await
}
