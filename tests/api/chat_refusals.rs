//! What `/v1` refuses, in OpenAI's form.

use axum::{Router, body::Body, http::Method};
use serde_json::{Value, json};
use weft_shared::api::chat::{ErrorBody, ErrorDetail};

use crate::{
    chat::request,
    support::{add_adapter, app, ask, get, send, send_text, server, server_with_adapters},
};

async fn refusal(server: &Router, status: u16, more: &Value) -> ErrorDetail {
    let answer = send(server, Method::POST, "/v1/chat/completions", &request(more)).await;
    let body: ErrorBody = answer.json(status);
    body.error
}

#[tokio::test]
async fn an_unknown_model_is_an_error_and_never_the_base() {
    let server = server_with_adapters(&["mine"]);

    for name in ["gpt-4o", "mini:other", "mini:", "mini:mine:", "Mini", "", ":mine"] {
        for stream in [false, true] {
            let error = refusal(&server, 404, &json!({ "model": name, "stream": stream })).await;

            assert_eq!(error.code.as_deref(), Some("model_not_found"), "{name}");
            assert_eq!(error.param.as_deref(), Some("model"));
            assert_eq!(error.kind, "invalid_request_error");
            assert!(error.message.ends_with("there is mini, mini:mine"), "{}", error.message);
        }
    }
}

#[tokio::test]
async fn an_adapter_of_another_model_is_refused_and_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    add_adapter(folder.path(), "foreign", "another fingerprint");
    let server = weft::web::router(app(folder.path()));

    let error = refusal(&server, 409, &json!({ "model": "mini:foreign" })).await;

    assert!(error.message.contains("foreign was made for another model"), "{}", error.message);
    let models: Value = get(server, "/v1/models", &[]).await.json(200);
    assert_eq!(models["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_field_that_makes_no_sense_is_named() {
    let server = server();
    let five = ["a", "b", "c", "d", "e"];
    for (param, more) in [
        ("n", json!({ "n": 2 })),
        ("n", json!({ "n": 0 })),
        ("max_tokens", json!({ "max_tokens": 0 })),
        ("temperature", json!({ "temperature": -1 })),
        ("top_p", json!({ "top_p": 0 })),
        ("top_p", json!({ "top_p": 1.5 })),
        ("repetition_penalty", json!({ "repetition_penalty": 0 })),
        ("stop", json!({ "stop": five })),
        ("stop", json!({ "stop": "" })),
        ("messages", json!({ "messages": [] })),
        ("messages", json!({ "messages": [{ "role": "assistant", "content": "x" }] })),
        ("messages", json!({ "messages": [{ "role": "user", "content": "  " }] })),
    ] {
        let error = refusal(&server, 400, &more).await;

        assert_eq!(error.param.as_deref(), Some(param), "{more}");
        assert_eq!(error.kind, "invalid_request_error");
        assert!(error.message.contains(param), "{}", error.message);
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_refused_before_a_stream_begins() {
    let long = json!([{ "role": "user", "content": "你".repeat(3000) }]);

    let error = refusal(&server(), 400, &json!({ "messages": long, "stream": true })).await;

    assert_eq!(error.code.as_deref(), Some("context_length_exceeded"));
    assert!(error.message.contains("at most 2048"), "{}", error.message);
}

#[tokio::test]
async fn a_body_that_is_no_chat_request_is_refused() {
    let server = server();
    let post = |body: String| send_text(&server, Method::POST, "/v1/chat/completions", body);

    for body in ["", "{", r#"{"model": "mini"}"#, r#"{"model": "mini", "messages": "x"}"#] {
        let answer = post(body.to_owned()).await;
        let body: ErrorBody = answer.json(400);
        assert!(body.error.message.contains("no chat request"), "{}", body.error.message);
    }
    let too_large: ErrorBody = post(" ".repeat((2 << 20) + 1)).await.json(413);
    assert_eq!(too_large.error.kind, "invalid_request_error");
}

#[tokio::test]
async fn what_others_find_wrong_has_this_form_too() {
    let strange_host = get(server(), "/v1/models", &[("host", "example.org")]).await;
    let nothing_here = get(server(), "/v1/embeddings", &[]).await;
    let wrong_method = ask(server(), Method::DELETE, "/v1/models", &[], Body::empty()).await;

    assert_eq!(wrong_method.header("allow"), Some("GET,HEAD"));
    for (answer, status) in [(strange_host, 421), (nothing_here, 404), (wrong_method, 405)] {
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let body: ErrorBody = answer.json(status);
        assert_eq!(body.error.kind, "invalid_request_error");
    }
}
