//! Conversations that are kept.

use serde::{Deserialize, Serialize};

/// One line of `GET /api/conversations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConversationSummary {
    pub id: i64,
    pub title: String,
    pub updated_ms: u64,
}

/// `GET` and `PUT /api/conversations/{id}`; `POST /api/conversations` takes the content and gives the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conversation {
    pub id: i64,
    pub updated_ms: u64,
    #[serde(flatten)]
    pub content: ConversationContent,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConversationContent {
    pub title: String,
    pub turns: Vec<ChatTurn>,
}

/// A question, and what was answered: one reply, or several side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatTurn {
    pub question: String,
    pub replies: Vec<Reply>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reply {
    /// `BASE` or `BASE:ADAPTER`.
    pub model: String,
    pub text: String,
    /// `stop`, `length`, or `cancelled` where the person stopped it.
    pub finish_reason: Option<String>,
    pub seed: Option<u64>,
}
