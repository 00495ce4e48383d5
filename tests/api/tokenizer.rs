//! The tokenizer of the server's model.

use weft_shared::api::status::Status;

use crate::support::{get, server, server_with_model};

#[tokio::test]
async fn the_page_gets_the_tokenizer_of_the_model() {
    let answer = get(server_with_model(b"a tokenizer"), "/api/tokenizer", &[]).await;

    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (200, b"a tokenizer".as_slice()));
}

#[tokio::test]
async fn without_a_model_there_is_no_tokenizer() {
    let answer = get(server(), "/api/tokenizer", &[]).await;

    assert_eq!(answer.status, 404);
    assert!(answer.problem().detail.contains("--model"));
}

#[tokio::test]
async fn the_status_names_the_model() {
    let with: Status =
        serde_json::from_slice(&get(server_with_model(b""), "/api/status", &[]).await.body)
            .unwrap();
    let without: Status =
        serde_json::from_slice(&get(server(), "/api/status", &[]).await.body).unwrap();

    assert_eq!(with.model.as_deref(), Some("tiny"));
    assert_eq!(without.model, None);
}
