//! `/v1/chat/completions` and `/v1/models`, in OpenAI's form.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::stream::{self, Stream, StreamExt as _};
use tokio_stream::wrappers::ReceiverStream;
use weft_shared::api::chat::{
    ChatChunk, ChatCompletion, ChatRequest, Choice, ChunkChoice, Delta, ErrorBody, Message,
    ModelEntry, ModelList, Role, Usage,
};

use super::{AppState, openai_error::Refusal};
use crate::completions::{Completion, CompletionError, Piece};

/// A comment is sent so often while a long question is read, so that clients and proxies wait.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/chat/completions", post(complete_chat))
        .route("/v1/models", get(list_models))
}

/// Lists what can be asked: the base, and each adapter as `BASE:ADAPTER`.
#[utoipa::path(get, path = "/v1/models", tag = "chat",
    responses((status = 200, description = "the models", body = ModelList),
        (status = "default", description = "a refusal", body = ErrorBody)))]
pub(super) async fn list_models(State(app): State<AppState>) -> Result<Json<ModelList>, Refusal> {
    let entry = |(id, created_ms)| ModelEntry {
        id,
        object: "model".to_owned(),
        created: created_ms / 1000,
        owned_by: "weft".to_owned(),
    };
    let completions = app.completions.clone();
    let models = blocking(move || completions.models()).await?;
    let data = models.into_iter().map(entry).collect();
    Ok(Json(ModelList { object: "list".to_owned(), data }))
}

/// Answers the last message.
///
/// With `stream` the answer comes in pieces, as server-sent events that end with `[DONE]`.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "chat", request_body = ChatRequest,
    responses(
        (status = 200, description = "the answer, or its pieces", content(
            (ChatCompletion = "application/json"),
            (ChatChunk = "text/event-stream"),
        )),
        (status = "default", description = "a refusal", body = ErrorBody),
    ))]
pub(super) async fn complete_chat(
    State(app): State<AppState>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let request: ChatRequest = serde_json::from_slice(&body?).map_err(Refusal::not_a_request)?;
    let with_usage = request.stream_options.is_some_and(|options| options.include_usage);
    let is_streamed = request.stream;
    let completions = app.completions.clone();
    let completion = blocking(move || completions.start(&request)).await?;
    if is_streamed {
        let events = chunks(completion, with_usage);
        let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
        return Ok(Sse::new(events).keep_alive(keep_alive).into_response());
    }
    Ok(Json(whole(completion).await?).into_response())
}

async fn whole(mut completion: Completion) -> Result<ChatCompletion, Refusal> {
    let mut text = String::new();
    while let Some(piece) = completion.pieces.recv().await {
        match piece? {
            Piece::Text(more) => text += &more,
            Piece::End { finish_reason, usage } => {
                let message = Message { role: Role::Assistant, content: text };
                let finish_reason = finish_reason.to_owned();
                return Ok(ChatCompletion {
                    id: completion.id,
                    object: "chat.completion".to_owned(),
                    created: completion.created,
                    model: completion.model,
                    choices: vec![Choice { index: 0, message, finish_reason }],
                    usage,
                });
            }
        }
    }
    Err(CompletionError::Broken.into())
}

/// The role, then the text as it comes, then why it ended, then the counts where they were asked for.
fn chunks(
    completion: Completion,
    with_usage: bool,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let Completion { id, created, model, pieces } = completion;
    let chunk = move |choices, usage| ChatChunk {
        id: id.clone(),
        object: "chat.completion.chunk".to_owned(),
        created,
        model: model.clone(),
        choices,
        usage,
    };
    let choice = |delta, finish_reason| vec![ChunkChoice { index: 0, delta, finish_reason }];
    let role = Delta { role: Some(Role::Assistant), content: Some(String::new()) };
    let first = data(&chunk(choice(role, None), None));
    let rest = ReceiverStream::new(pieces).flat_map(move |piece| {
        let events = match piece {
            Ok(Piece::Text(text)) => {
                let delta = Delta { role: None, content: Some(text) };
                vec![data(&chunk(choice(delta, None), None))]
            }
            Ok(Piece::End { finish_reason, usage }) => {
                let end = choice(Delta::default(), Some(finish_reason.to_owned()));
                let counts: Option<Usage> = with_usage.then_some(usage);
                let counts = counts.map(|usage| data(&chunk(Vec::new(), Some(usage))));
                [data(&chunk(end, None))].into_iter().chain(counts).collect()
            }
            Err(error) => vec![data(&Refusal::from(error).body)],
        };
        stream::iter(events)
    });
    let done = Event::default().data("[DONE]");
    stream::iter([first]).chain(rest).chain(stream::iter([done])).map(Ok)
}

fn data(body: &impl serde::Serialize) -> Event {
    Event::default().data(serde_json::to_string(body).unwrap_or_default())
}

/// A call that may wait for the disk, on a thread for that.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, CompletionError> + Send + 'static,
) -> Result<T, Refusal> {
    let answer = tokio::task::spawn_blocking(call).await;
    Ok(answer.unwrap_or(Err(CompletionError::Broken))?)
}
