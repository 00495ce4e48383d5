//! Versions of datasets.

use axum::{Router, http::Method};
use serde_json::{Value, json};
use weft_shared::api::dataset::{Dataset, DatasetSummary, Edited, Row, Version};

use crate::support::{get, send, server};

/// A server with a dataset of one pair, which has the number 1.
async fn server_with_dataset() -> Router {
    let server = server();
    let new = json!({ "name": "mine", "pairs": [{ "question": "a", "answer": "1" }] });
    send(&server, Method::POST, "/api/datasets", &new).await.json::<DatasetSummary>(201);
    server
}

async fn keep(server: &Router, note: &str) -> Version {
    let body = json!({ "note": note });
    send(server, Method::POST, "/api/datasets/1/versions", &body).await.json(201)
}

async fn delete_the_row(server: &Router) {
    let edits = json!({ "revision": 0, "edits": [{ "do": "delete", "ids": [1] }] });
    send(server, Method::POST, "/api/datasets/1/edits", &edits).await.json::<Edited>(200);
}

#[tokio::test]
async fn a_version_keeps_its_rows() {
    let server = server_with_dataset().await;
    let version = keep(&server, "with a").await;
    delete_the_row(&server).await;

    let rows: Vec<Row> = get(server, "/api/datasets/1/versions/1", &[]).await.json(200);

    assert_eq!((version.number, version.pairs, version.note.as_str()), (1, 1, "with a"));
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn the_newest_version_comes_first() {
    let server = server_with_dataset().await;
    keep(&server, "one").await;
    delete_the_row(&server).await;
    keep(&server, "").await;
    keep(&server, "").await;

    let versions: Vec<Version> = get(server, "/api/datasets/1/versions", &[]).await.json(200);

    let versions: Vec<_> = versions.iter().map(|one| (one.number, one.pairs)).collect();
    assert_eq!(versions, [(2, 0), (1, 1)]);
}

#[tokio::test]
async fn a_restored_version_is_a_new_revision() {
    let server = server_with_dataset().await;
    keep(&server, "").await;
    delete_the_row(&server).await;

    let path = "/api/datasets/1/versions/1/restore";
    let restored: Dataset = send(&server, Method::POST, path, &()).await.json(200);

    assert_eq!((restored.summary.revision, restored.rows[0].id), (2, 1));
    assert_eq!(get(server, "/api/datasets/1", &[]).await.json::<Dataset>(200), restored);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let server = server_with_dataset().await;
    let note = json!({ "note": "" });

    for (method, path) in [
        (Method::GET, "/api/datasets/7/versions"),
        (Method::POST, "/api/datasets/7/versions"),
        (Method::GET, "/api/datasets/1/versions/7"),
        (Method::POST, "/api/datasets/1/versions/7/restore"),
    ] {
        let answer = send(&server, method, path, &note).await;

        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.problem().kind, "/problems/not-found", "{path}");
    }
}

#[tokio::test]
async fn a_version_without_a_note_is_asked_for_with_an_empty_body() {
    let server = server_with_dataset().await;

    let path = "/api/datasets/1/versions";
    let version: Value = send(&server, Method::POST, path, &json!({})).await.json(201);

    assert_eq!(version["note"], "");
}
