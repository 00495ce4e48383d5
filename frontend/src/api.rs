//! What the page asks the server, a file a resource. Nothing else in the page knows a URL.

pub mod adapters;
pub mod chat;
pub mod conversations;
pub mod datasets;
pub mod evaluations;
pub mod jobs;
pub mod model;
pub mod session;

use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::ArrayBuffer;
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use weft_shared::api::{problem::Problem, status::Status};

/// Why a call brought nothing.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CallError {
    /// No server, or not Weft.
    #[error("the server does not answer")]
    Unreachable,
    /// The server's own words.
    #[error("{0}")]
    Refused(Problem),
}

impl CallError {
    /// The status of a refusal, for example 409.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Unreachable => None,
            Self::Refused(problem) => Some(problem.status),
        }
    }
}

/// What the server is and has.
pub async fn status() -> Result<Status, CallError> {
    get("/api/status").await
}

/// The tokenizer of the server's model, for the worker.
pub async fn tokenizer() -> Result<ArrayBuffer, CallError> {
    let response = web_sys::Response::from(send(Method::GET, "/api/tokenizer", NOTHING).await?);
    let promise = response.array_buffer().map_err(|_| CallError::Unreachable)?;
    let buffer = JsFuture::from(promise).await.map_err(|_| CallError::Unreachable)?;
    buffer.dyn_into().map_err(|_| CallError::Unreachable)
}

const NOTHING: Option<&()> = None;

async fn get<T: DeserializeOwned>(url: &str) -> Result<T, CallError> {
    json(send(Method::GET, url, NOTHING).await?).await
}

async fn post<T: DeserializeOwned>(url: &str, body: &impl Serialize) -> Result<T, CallError> {
    json(send(Method::POST, url, Some(body)).await?).await
}

async fn put<T: DeserializeOwned>(url: &str, body: &impl Serialize) -> Result<T, CallError> {
    json(send(Method::PUT, url, Some(body)).await?).await
}

async fn patch<T: DeserializeOwned>(url: &str, body: &impl Serialize) -> Result<T, CallError> {
    json(send(Method::PATCH, url, Some(body)).await?).await
}

/// Deletes are answered with 204 and nothing more.
async fn delete(url: &str) -> Result<(), CallError> {
    send(Method::DELETE, url, NOTHING).await.map(drop)
}

/// The answer, where it is not a refusal.
async fn send(
    method: Method,
    url: &str,
    body: Option<&impl Serialize>,
) -> Result<Response, CallError> {
    let request = RequestBuilder::new(url).method(method);
    let request = match body {
        Some(body) => request.json(body),
        None => request.build(),
    };
    let request = request.map_err(|_| CallError::Unreachable)?;
    let response = request.send().await.map_err(|_| CallError::Unreachable)?;
    if response.ok() {
        return Ok(response);
    }
    Err(CallError::Refused(json(response).await?))
}

async fn json<T: DeserializeOwned>(response: Response) -> Result<T, CallError> {
    response.json().await.map_err(|_| CallError::Unreachable)
}

/// A name as a part of a path.
fn segment(name: &str) -> String {
    String::from(js_sys::encode_uri_component(name))
}
