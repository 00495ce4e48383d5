//! Bodies that are not what a route takes, and methods that it does not answer.

use axum::{body::Body, http::Method};
use serde_json::{Value, json};

use crate::support::{ask, get, send, send_text, server};

#[tokio::test]
async fn a_body_that_is_not_json_is_a_problem_in_words() {
    let answer = send_text(&server(), Method::POST, "/api/datasets", r#"{"name": "#).await;

    assert_eq!(answer.status, 400);
    assert_eq!(answer.problem().kind, "/problems/not-json");
    assert!(answer.problem().detail.contains("line 1"), "{}", answer.problem().detail);
}

#[tokio::test]
async fn a_body_of_another_form_is_told_what_is_wrong_with_it() {
    for body in [json!({}), json!({ "name": 7 }), json!({ "name": "x", "pair": [] }), json!(null)] {
        let answer = send(&server(), Method::POST, "/api/datasets", &body).await;

        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.problem().kind, "/problems/wrong-form");
    }
    let misspelt = json!({ "name": "x", "pair": [] });
    let answer = send(&server(), Method::POST, "/api/datasets", &misspelt).await;
    assert!(answer.problem().detail.contains("pair"), "{}", answer.problem().detail);
}

#[tokio::test]
async fn a_body_has_to_say_that_it_is_json() {
    let body = Body::from(r#"{"name": "x"}"#);

    let answer = ask(server(), Method::POST, "/api/datasets", &[], body).await;

    assert_eq!(answer.status, 415);
    assert_eq!(answer.problem().kind, "/problems/not-json");
}

#[tokio::test]
async fn a_body_may_have_two_mebibytes_and_a_dataset_sixty_four() {
    let space = |mebibytes: usize| " ".repeat((mebibytes << 20) + 1);
    let server = server();
    let post = |path: &'static str, body: String| {
        let server = server.clone();
        async move { send_text(&server, Method::POST, path, body).await }
    };

    let answer = post("/api/conversations", space(2)).await;
    assert_eq!((answer.status.as_u16(), answer.problem().status), (413, 413));
    assert_eq!(answer.problem().kind, "/problems/too-large");

    let answer = post("/v1/chat/completions", space(2)).await;
    let error = answer.json::<Value>(413);
    assert_eq!(error["error"]["type"], "invalid_request_error");

    let new = r#"{"name": "x"}"#;
    assert_eq!(post("/api/datasets", new.to_owned() + &space(63)).await.status, 201);
    assert_eq!(post("/api/datasets", new.to_owned() + &space(64)).await.status, 413);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_answer_is_a_problem_too() {
    let answer = ask(server(), Method::DELETE, "/api/status", &[], Body::empty()).await;

    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    assert_eq!(answer.problem().detail, "/api/status does not answer DELETE");
}

#[tokio::test]
async fn a_query_of_another_form_is_a_problem_too() {
    let answer = get(server(), "/api/jobs/1/events?after=yesterday", &[]).await;

    assert_eq!(answer.status, 400);
    assert_eq!(answer.problem().kind, "/problems/wrong-query");
}

#[tokio::test]
async fn a_name_that_is_no_number_names_nothing() {
    for path in ["/api/datasets/x", "/api/datasets/1/versions/-1", "/api/conversations/1.5"] {
        let answer = get(server(), path, &[]).await;

        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.problem().detail, format!("there is nothing at {path}"));
    }
}
