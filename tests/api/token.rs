//! A server that others can reach, and the token that opens it.

use std::net::{IpAddr, Ipv4Addr};

use axum::{Router, http::Method};
use serde_json::json;
use weft::web::Access;
use weft_shared::api::chat::ErrorBody;

use crate::support::{ask, get, send, server, server_with_access};

const TOKEN: &str = "correct-horse-battery";

fn server_with_token() -> Router {
    let everywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let names = ["weft.example.org".to_owned()];
    server_with_access(Access::new(everywhere, Some(TOKEN), &names).unwrap())
}

#[tokio::test]
async fn without_the_token_only_the_page_and_its_health_are_open() {
    let server = server_with_token();

    for path in ["/", "/boot-1.js", "/chat", "/healthz"] {
        assert_eq!(get(server.clone(), path, &[]).await.status, 200, "{path}");
    }
    for path in ["/api/status", "/api/datasets", "/api/tokenizer", "/api/jobs/1/events", "/metrics"]
    {
        let answer = get(server.clone(), path, &[]).await;

        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.problem().kind, "/problems/no-token");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let answer = get(server, "/v1/models", &[]).await;
    let body: ErrorBody = answer.json(401);
    assert_eq!(body.error.code.as_deref(), Some("invalid_api_key"));
}

#[tokio::test]
async fn a_client_sends_the_token_with_each_request() {
    let server = server_with_token();
    let status = |sent: String| {
        let server = server.clone();
        async move { get(server, "/v1/models", &[("authorization", &sent)]).await.status.as_u16() }
    };

    assert_eq!(status(format!("Bearer {TOKEN}")).await, 200);
    assert_eq!(status(format!("bearer {TOKEN}")).await, 200);
    for wrong in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        TOKEN.to_owned(),
        format!("Basic {TOKEN}"),
        format!("Bearer {TOKEN}x"),
        format!("Bearer {}", &TOKEN[1..]),
    ] {
        assert_eq!(status(wrong.clone()).await, 401, "{wrong}");
    }
}

#[tokio::test]
async fn a_browser_shows_the_token_once() {
    let server = server_with_token();
    let session = |token: &str| json!({ "token": token });

    let wrong = send(&server, Method::POST, "/api/session", &session("wrong")).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.problem().kind.as_str()),
        (401, "/problems/wrong-token")
    );
    assert_eq!(wrong.header("set-cookie"), None);

    let right = send(&server, Method::POST, "/api/session", &session(TOKEN)).await;
    assert_eq!(right.status, 204);
    let cookie = right.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(TOKEN));

    let shown = format!("theme=dark; {}", cookie.split(';').next().unwrap());
    assert_eq!(get(server.clone(), "/api/status", &[("cookie", &shown)]).await.status, 200);
    let forged = "weft-session=0000";
    assert_eq!(get(server, "/api/status", &[("cookie", forged)]).await.status, 401);
}

#[tokio::test]
async fn behind_a_proxy_that_encrypts_the_cookie_is_for_encrypted_ways_alone() {
    let headers = [
        ("host", "weft.example.org"),
        ("origin", "https://weft.example.org"),
        ("content-type", "application/json"),
    ];
    let body = json!({ "token": TOKEN }).to_string();

    let answer =
        ask(server_with_token(), Method::POST, "/api/session", &headers, body.into()).await;

    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_server_without_a_token_needs_no_session() {
    let answer =
        send(&server(), Method::POST, "/api/session", &json!({ "token": "anything" })).await;

    assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (204, None));
}

#[tokio::test]
async fn the_token_does_not_open_the_server_to_other_names_and_sites() {
    let token = format!("Bearer {TOKEN}");
    let status = |name: &'static str, value: &'static str| {
        let (server, token) = (server_with_token(), token.clone());
        async move {
            let headers = [("authorization", token.as_str()), (name, value)];
            get(server, "/api/status", &headers).await.status.as_u16()
        }
    };

    assert_eq!(status("host", "weft.example.org").await, 200);
    assert_eq!(status("host", "192.168.0.2:7860").await, 200);
    assert_eq!(status("host", "example.org").await, 421);
    assert_eq!(status("origin", "https://example.org").await, 403);
}
