//! A server with a small page, and a way to ask it.

use std::fs;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use tower::ServiceExt as _;
use weft::web::{self, AppState, ServedModel, page::Page};
use weft_shared::api::problem::Problem;

pub(crate) const INDEX: &str = "<!doctype html>";

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server with a page of three files, one of them compressed, and no model.
pub(crate) fn server() -> Router {
    web::router(AppState { page: page(), model: None })
}

/// The same with a tokenizer of these bytes.
pub(crate) fn server_with_model(tokenizer: &'static [u8]) -> Router {
    let model = ServedModel { name: "tiny".into(), tokenizer: tokenizer.into() };
    web::router(AppState { page: page(), model: Some(model) })
}

/// Asks for a path as the page itself would, with some headers more.
pub(crate) async fn get(server: Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path).header("host", "127.0.0.1:7860");
    if let Some(own) = request.headers_mut() {
        for (name, value) in headers {
            own.insert(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
    }
    let response = server.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

fn page() -> Page {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in
        [("index.html", INDEX), ("boot-1.js", "start()"), ("boot-1.js.br", "compressed")]
    {
        fs::write(folder.path().join(name), content).unwrap();
    }
    Page::read(folder.path()).unwrap()
}
