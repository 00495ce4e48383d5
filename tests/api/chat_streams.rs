//! Answers of `/v1/chat/completions` as they are written.

use std::{pin::pin, time::Duration};

use axum::{
    Router,
    body::{Body, BodyDataStream},
    http::Method,
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use weft_shared::api::chat::{ChatChunk, Delta, Role};

use crate::{
    chat::{answer, request},
    metrics::metric,
    support::{open, send, server},
};

/// The data lines of a whole stream.
async fn lines(server: &Router, more: &Value) -> Vec<String> {
    let mut request = request(more);
    request["stream"] = json!(true);
    let answer = send(server, Method::POST, "/v1/chat/completions", &request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(answer.body).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
}

/// The beginning of a long answer, whose rest is read by whoever wants it.
async fn begin(server: &Router) -> BodyDataStream {
    let body = request(&json!({ "stream": true, "max_tokens": 2000 })).to_string();
    let headers = [("content-type", "application/json")];
    let path = "/v1/chat/completions";
    let response = open(server.clone(), Method::POST, path, &headers, Body::from(body)).await;
    let mut pieces = response.into_body().into_data_stream();
    pieces.next().await.unwrap().unwrap();
    pieces
}

fn chunks(lines: &[String]) -> Vec<ChatChunk> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_stream_says_role_text_reason_and_done() {
    let server = server();
    let whole = answer(&server, &json!({})).await;

    let mut lines = lines(&server, &json!({})).await;

    assert_eq!(lines.pop().unwrap(), "[DONE]");
    let chunks = chunks(&lines);
    for chunk in &chunks {
        assert_eq!(
            (chunk.object.as_str(), chunk.model.as_str()),
            ("chat.completion.chunk", "mini")
        );
        assert_eq!((chunk.id.as_str(), chunk.created), (chunks[0].id.as_str(), chunks[0].created));
        assert_eq!((chunk.choices.len(), chunk.usage), (1, None));
    }
    let role = Delta { role: Some(Role::Assistant), content: Some(String::new()) };
    assert_eq!(chunks[0].choices[0].delta, role);
    let deltas = chunks.iter().filter_map(|chunk| chunk.choices[0].delta.content.as_deref());
    assert_eq!(deltas.collect::<String>(), whole.choices[0].message.content);
    let (last, before) = chunks.split_last().unwrap();
    assert_eq!(last.choices[0].finish_reason.as_deref(), Some("length"));
    assert_eq!(last.choices[0].delta, Delta::default());
    assert!(before.iter().all(|chunk| chunk.choices[0].finish_reason.is_none()));
}

#[tokio::test]
async fn the_counts_come_last_where_they_are_asked_for() {
    let mut lines = lines(&server(), &json!({ "stream_options": { "include_usage": true } })).await;

    lines.pop();
    let last = chunks(&lines).pop().unwrap();
    assert!(last.choices.is_empty());
    let usage = last.usage.unwrap();
    assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (4, 24, 28));
}

#[tokio::test]
async fn a_stop_text_is_never_streamed() {
    let server = server();
    let whole = answer(&server, &json!({})).await.choices[0].message.content.clone();
    let stop: String = whole.chars().skip(3).take(3).collect();

    let mut lines = lines(&server, &json!({ "stop": stop })).await;

    lines.pop();
    let chunks = chunks(&lines);
    let deltas = chunks.iter().filter_map(|chunk| chunk.choices[0].delta.content.as_deref());
    assert_eq!(deltas.collect::<String>(), whole[..whole.find(&stop).unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_ends_its_answer_within_a_token() {
    let server = server();
    let pieces = begin(&server).await;
    while metric(&server, "weft_chat_written_tokens_total").await < 5.0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    drop(pieces);
    let left = metric(&server, "weft_chat_written_tokens_total").await;
    while metric(&server, "weft_chats_active").await > 0.0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    let written = metric(&server, "weft_chat_written_tokens_total").await;
    assert!(written <= left + 1.0, "{written} tokens, {left} when the client left");
    assert!(written < 2000.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_answers_are_written_in_turn() {
    let server = server();
    let mut first = pin!(begin(&server).await);

    // Begun later, shorter, and over long before the first.
    for _ in 0..3 {
        lines(&server, &json!({})).await;
    }

    assert_eq!(metric(&server, "weft_chats_active").await, 1.0, "the first still goes on");
    let next = tokio::time::timeout(Duration::from_secs(10), first.next()).await;
    assert!(next.unwrap().is_some());
}
