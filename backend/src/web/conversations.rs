//! `/api/conversations`: conversations that are kept.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use weft_shared::api::conversation::{Conversation, ConversationContent, ConversationSummary};

use super::{ApiError, AppState, json::Json, path::Path};
use crate::store::Store;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/conversations", get(list_conversations).post(create_conversation))
        .route(
            "/api/conversations/{id}",
            get(read_conversation).put(replace_conversation).delete(delete_conversation),
        )
}

/// Lists the conversations.
///
/// The one that was changed last comes first.
#[utoipa::path(get, path = "/api/conversations", tag = "conversations", responses((status = 200, description = "all conversations", body = Vec<ConversationSummary>)))]
pub(super) async fn list_conversations(
    State(app): State<AppState>,
) -> Result<Json<Vec<ConversationSummary>>, ApiError> {
    app.stored(Store::conversations).await.map(Json)
}

/// Keeps a conversation.
#[utoipa::path(post, path = "/api/conversations", tag = "conversations", request_body = ConversationContent, responses((status = 201, description = "the new conversation", body = Conversation)))]
pub(super) async fn create_conversation(
    State(app): State<AppState>,
    Json(content): Json<ConversationContent>,
) -> Result<(StatusCode, Json<Conversation>), ApiError> {
    let created = app.stored(move |store| store.create_conversation(&content)).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Reads a conversation.
#[utoipa::path(get, path = "/api/conversations/{id}", tag = "conversations", params(("id" = i64, Path)), responses((status = 200, description = "the conversation", body = Conversation)))]
pub(super) async fn read_conversation(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<Json<Conversation>, ApiError> {
    app.stored(move |store| store.conversation(id)).await.map(Json)
}

/// Replaces what a conversation holds.
#[utoipa::path(put, path = "/api/conversations/{id}", tag = "conversations", params(("id" = i64, Path)), request_body = ConversationContent, responses((status = 200, description = "the conversation", body = Conversation)))]
pub(super) async fn replace_conversation(
    State(app): State<AppState>,
    Path(id): Path<i64>,
    Json(content): Json<ConversationContent>,
) -> Result<Json<Conversation>, ApiError> {
    app.stored(move |store| store.replace_conversation(id, &content)).await.map(Json)
}

/// Deletes a conversation.
#[utoipa::path(delete, path = "/api/conversations/{id}", tag = "conversations", params(("id" = i64, Path)), responses((status = 204, description = "it is gone")))]
pub(super) async fn delete_conversation(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    app.stored(move |store| store.delete_conversation(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
