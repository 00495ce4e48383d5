//! Datasets and their rows.

use axum::{
    Router,
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use weft_shared::{
    api::dataset::{Dataset, DatasetSummary, Edited, Row},
    pair::Pair,
};

use crate::support::{Answer, ask, get, send, server};

/// A server with a dataset of two pairs, which has the number 1.
async fn server_with_dataset() -> Router {
    let server = server();
    let new = json!({ "name": "mine", "pairs": [
        { "question": "a", "answer": "1" },
        { "question": "b", "answer": "2", "history": [["q", "r"]], "system": "s", "tags": ["t"] },
    ]});
    let created: DatasetSummary =
        send(&server, Method::POST, "/api/datasets", &new).await.json(201);
    assert_eq!((created.id, created.name.as_str(), created.pairs), (1, "mine", 2));
    server
}

async fn edit(server: &Router, revision: u64, edits: Value) -> Answer {
    let body = json!({ "revision": revision, "edits": edits });
    send(server, Method::POST, "/api/datasets/1/edits", &body).await
}

async fn rows(server: &Router) -> Vec<Row> {
    get(server.clone(), "/api/datasets/1", &[]).await.json::<Dataset>(200).rows
}

#[tokio::test]
async fn a_dataset_comes_back_as_it_was_sent() {
    let server = server_with_dataset().await;

    let dataset: Value = get(server, "/api/datasets/1", &[]).await.json(200);

    let expected = json!({
        "id": 1, "name": "mine", "pairs": 2, "revision": 0, "updated_ms": dataset["updated_ms"],
        "rows": [
            { "id": 1, "pair": { "question": "a", "answer": "1" } },
            { "id": 2, "pair": { "question": "b", "answer": "2", "history": [["q", "r"]],
                                 "system": "s", "tags": ["t"] } },
        ],
    });
    assert_eq!(dataset, expected);
}

#[tokio::test]
async fn the_list_has_every_dataset() {
    let server = server_with_dataset().await;
    let new = json!({ "name": "empty" });
    send(&server, Method::POST, "/api/datasets", &new).await.json::<DatasetSummary>(201);

    let list: Vec<DatasetSummary> = get(server, "/api/datasets", &[]).await.json(200);

    let list: Vec<_> = list.iter().map(|one| (one.id, one.name.as_str(), one.pairs)).collect();
    assert_eq!(list, [(2, "empty", 0), (1, "mine", 2)]);
}

#[tokio::test]
async fn a_dataset_is_renamed() {
    let server = server_with_dataset().await;
    let rename = async |name: &str| {
        send(&server, Method::PATCH, "/api/datasets/1", &json!({ "name": name })).await
    };

    assert_eq!(rename("yours").await.json::<DatasetSummary>(200).name, "yours");

    let refused = rename(" ").await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.problem().kind, "/problems/bad-name");
}

#[tokio::test]
async fn a_dataset_is_deleted() {
    let server = server_with_dataset().await;
    let delete = || ask(server.clone(), Method::DELETE, "/api/datasets/1", &[], Body::empty());

    let answer = delete().await;

    assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(delete().await.status, 404);
}

#[tokio::test]
async fn a_batch_of_edits_says_what_it_did() {
    let server = server_with_dataset().await;

    let edits = json!([
        { "do": "add", "pairs": [{ "question": "c", "answer": "3" }] },
        { "do": "update", "id": 1, "pair": { "question": "a", "answer": "one" } },
        { "do": "delete", "ids": [2] },
    ]);
    let edited: Edited = edit(&server, 0, edits).await.json(200);

    assert_eq!(edited, Edited { revision: 1, pairs: 2, added: vec![3] });
    let expected = [(1, Pair::new("a", "one")), (3, Pair::new("c", "3"))];
    assert_eq!(rows(&server).await, expected.map(|(id, pair)| Row { id, pair }));
}

#[tokio::test]
async fn a_deleted_row_is_restored_to_its_place() {
    let server = server_with_dataset().await;
    let before = rows(&server).await;
    edit(&server, 0, json!([{ "do": "delete", "ids": [1] }])).await.json::<Edited>(200);

    let restore = json!([{ "do": "restore", "rows": [before[0]] }]);
    edit(&server, 1, restore).await.json::<Edited>(200);

    assert_eq!(rows(&server).await, before);
}

#[tokio::test]
async fn an_edit_of_an_older_revision_is_a_conflict() {
    let server = server_with_dataset().await;
    edit(&server, 0, json!([{ "do": "delete", "ids": [1] }])).await.json::<Edited>(200);

    let answer = edit(&server, 0, json!([{ "do": "delete", "ids": [2] }])).await;

    assert_eq!(answer.status, 409);
    assert_eq!(answer.problem().kind, "/problems/stale");
    assert_eq!(rows(&server).await.len(), 1);
}

#[tokio::test]
async fn a_bad_edit_undoes_those_before_it() {
    let server = server_with_dataset().await;
    let before = rows(&server).await;
    let good = json!({ "do": "delete", "ids": [1] });
    let pair = json!({ "question": "q", "answer": "a" });
    let large = json!({ "question": "q".repeat(1_000_001), "answer": "" });
    let bad = [
        (json!({ "do": "update", "id": 9, "pair": pair }), 422, "/problems/bad-edit"),
        (
            json!({ "do": "restore", "rows": [{ "id": 2, "pair": pair }] }),
            422,
            "/problems/bad-edit",
        ),
        (json!({ "do": "add", "pairs": [large] }), 413, "/problems/too-large"),
        (json!({ "do": "shuffle" }), 422, "/problems/wrong-form"),
    ];

    for (bad, status, kind) in bad {
        let answer = edit(&server, 0, json!([good, bad])).await;

        assert_eq!((answer.status.as_u16(), answer.problem().kind.as_str()), (status, kind));
        assert_eq!(rows(&server).await, before);
    }
}

#[tokio::test]
async fn a_dataset_that_is_not_there_is_not_found() {
    let server = server();
    let edits = json!({ "revision": 0, "edits": [] });
    let rename = json!({ "name": "x" });

    for answer in [
        get(server.clone(), "/api/datasets/7", &[]).await,
        send(&server, Method::PATCH, "/api/datasets/7", &rename).await,
        send(&server, Method::POST, "/api/datasets/7/edits", &edits).await,
    ] {
        assert_eq!(answer.status, 404);
        assert_eq!(answer.problem().kind, "/problems/not-found");
        assert_eq!(answer.problem().detail, "there is no dataset 7");
    }
}
