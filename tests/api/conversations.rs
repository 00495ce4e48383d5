//! Conversations that are kept.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use weft_shared::api::conversation::{Conversation, ConversationSummary};

use crate::support::{ask, get, send, server};

fn content(title: &str) -> Value {
    json!({ "title": title, "turns": [{ "question": "你好", "replies": [
        { "model": "base", "text": "你好！", "finish_reason": "stop", "seed": 7 },
        { "model": "base:mine", "text": "您", "finish_reason": "cancelled", "seed": null },
    ] }] })
}

#[tokio::test]
async fn a_conversation_is_kept_replaced_and_deleted() {
    let server = server();

    let created: Value =
        send(&server, Method::POST, "/api/conversations", &content("one")).await.json(201);
    assert_eq!((&created["title"], &created["turns"]), (&json!("one"), &content("")["turns"]));
    let path = format!("/api/conversations/{}", created["id"]);
    assert_eq!(get(server.clone(), &path, &[]).await.json::<Value>(200), created);

    let replaced: Conversation = send(&server, Method::PUT, &path, &content("two")).await.json(200);
    assert_eq!(replaced.content.title, "two");
    let list: Vec<ConversationSummary> =
        get(server.clone(), "/api/conversations", &[]).await.json(200);
    assert_eq!(list.iter().map(|one| one.title.as_str()).collect::<Vec<_>>(), ["two"]);

    let deleted = ask(server.clone(), Method::DELETE, &path, &[], Body::empty()).await;
    assert_eq!((deleted.status, deleted.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(get(server, &path, &[]).await.status, 404);
}

#[tokio::test]
async fn a_conversation_that_is_not_there_is_not_found() {
    let server = server();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = send(&server, method.clone(), "/api/conversations/7", &content("x")).await;

        assert_eq!(answer.status, 404, "{method}");
        assert_eq!(answer.problem().detail, "there is no conversation 7");
    }
}

#[tokio::test]
async fn a_conversation_of_another_form_is_refused() {
    let body = json!({ "title": "x", "messages": [] });

    let answer = send(&server(), Method::POST, "/api/conversations", &body).await;

    assert_eq!(answer.status, 422);
    assert_eq!(answer.problem().kind, "/problems/wrong-form");
}
