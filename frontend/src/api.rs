//! What the page asks the server; the only file that knows a URL.

use gloo_net::http::{Request, Response};
use js_sys::ArrayBuffer;
use serde::de::DeserializeOwned;
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

/// What the server is and has.
pub async fn status() -> Result<Status, CallError> {
    json(get("/api/status").await?).await
}

/// The tokenizer of the server's model, for the worker.
pub async fn tokenizer() -> Result<ArrayBuffer, CallError> {
    let response = web_sys::Response::from(get("/api/tokenizer").await?);
    let promise = response.array_buffer().map_err(|_| CallError::Unreachable)?;
    let buffer = JsFuture::from(promise).await.map_err(|_| CallError::Unreachable)?;
    buffer.dyn_into().map_err(|_| CallError::Unreachable)
}

async fn get(url: &str) -> Result<Response, CallError> {
    let response = Request::get(url).send().await.map_err(|_| CallError::Unreachable)?;
    if response.ok() {
        return Ok(response);
    }
    Err(CallError::Refused(json(response).await?))
}

async fn json<T: DeserializeOwned>(response: Response) -> Result<T, CallError> {
    response.json().await.map_err(|_| CallError::Unreachable)
}
