//! Chat in OpenAI's form, as a stream.

use gloo_net::http::RequestBuilder;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, ReadableStreamDefaultReader};
use weft_shared::api::{
    chat::{ChatChunk, ChatRequest, ErrorBody},
    problem::Problem,
};

use crate::state::sse::EventReader;

/// Why a reply ended before the model ended it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChatError {
    #[error("the server does not answer")]
    Unreachable,
    /// The person stopped it.
    #[error("stopped")]
    Stopped,
    /// The server's own words, and its code for programs.
    #[error("{message}")]
    Refused { message: String, code: Option<String> },
}

impl From<ErrorBody> for ChatError {
    fn from(ErrorBody { error }: ErrorBody) -> Self {
        Self::Refused { message: error.message, code: error.code }
    }
}

/// What is said before a request gets to the chat has another form: no token, a body too large.
impl From<Problem> for ChatError {
    fn from(problem: Problem) -> Self {
        Self::Refused { message: problem.detail, code: None }
    }
}

/// Asks, and hands over each piece of the reply as it comes.
pub async fn stream(
    request: &ChatRequest,
    stop: &AbortSignal,
    mut on_chunk: impl FnMut(ChatChunk),
) -> Result<(), ChatError> {
    let lost = || if stop.aborted() { ChatError::Stopped } else { ChatError::Unreachable };
    let post = RequestBuilder::new("/v1/chat/completions").method(gloo_net::http::Method::POST);
    let post = post.abort_signal(Some(stop)).json(request).map_err(|_| lost())?;
    let response = post.send().await.map_err(|_| lost())?;
    if !response.ok() {
        let body = response.text().await.map_err(|_| lost())?;
        let refusal = serde_json::from_str::<ErrorBody>(&body).map(ChatError::from);
        let refusal = refusal.or_else(|_| serde_json::from_str::<Problem>(&body).map(Into::into));
        return Err(refusal.unwrap_or_else(|_| lost()));
    }
    let body = response.body().ok_or_else(lost)?;
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into().map_err(|_| lost())?;

    let mut events = EventReader::default();
    while let Some(bytes) = read(&reader).await.map_err(|_| lost())? {
        for data in events.push(&bytes) {
            if data == "[DONE]" {
                return Ok(());
            }
            if let Ok(chunk) = serde_json::from_str(&data) {
                on_chunk(chunk);
            } else if let Ok(error) = serde_json::from_str::<ErrorBody>(&data) {
                return Err(error.into());
            }
        }
    }
    // A server that goes away in the middle says no last word.
    Err(lost())
}

/// The next bytes; `None` at the end.
async fn read(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, JsValue> {
    let part = JsFuture::from(reader.read()).await?;
    if Reflect::get(&part, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    let bytes: Uint8Array = Reflect::get(&part, &"value".into())?.dyn_into()?;
    Ok(Some(bytes.to_vec()))
}
