//! `/api/openapi.json`: every route and type, for programs that write clients.
//!
//! Each handler describes itself; this file lists them. A route that is missing here fails a test.

use axum::{Router, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder,
        path::{Operation, PathItem},
    },
};
use weft_shared::api::problem::Problem;

use super::{
    AppState, adapters, chat_completions, conversations, datasets, evaluations, jobs, json::Json,
    metrics, model, session, status, tokenizer,
};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/openapi.json", get(openapi))
}

/// Gives this document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "server",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Weft",
        description = "LoRA fine-tuning of ChatGLM-6B. Times are milliseconds since 1970, unless a field says another. \
                       Every refusal under `/api` is a problem document (RFC 9457)."
    ),
    tags(
        (name = "server", description = "The server itself"),
        (name = "model", description = "The model that is served"),
        (name = "datasets", description = "Pairs to learn from, and versions of them"),
        (name = "jobs", description = "Training runs"),
        (name = "adapters", description = "What runs made"),
        (name = "evaluations", description = "How many questions are answered as wanted"),
        (name = "chat", description = "Chat in OpenAI's form, errors included"),
        (name = "conversations", description = "Conversations that are kept"),
    ),
    paths(
        status::healthz,
        status::status,
        session::begin_session,
        metrics::metrics,
        openapi,
        tokenizer::tokenizer,
        model::model,
        datasets::list_datasets,
        datasets::create_dataset,
        datasets::read_dataset,
        datasets::rename_dataset,
        datasets::delete_dataset,
        datasets::edit_dataset,
        datasets::list_versions,
        datasets::keep_version,
        datasets::read_version,
        datasets::restore_version,
        jobs::check_job,
        jobs::dry_run,
        jobs::list_jobs,
        jobs::start_job,
        jobs::read_job,
        jobs::delete_job,
        jobs::cancel_job,
        jobs::resume_job,
        jobs::read_manifest,
        jobs::follow_job,
        adapters::list_adapters,
        adapters::rename_adapter,
        adapters::delete_adapter,
        adapters::download_adapter,
        evaluations::list_evaluations,
        evaluations::start_evaluation,
        evaluations::read_evaluation,
        evaluations::delete_evaluation,
        evaluations::list_answers,
        evaluations::cancel_evaluation,
        evaluations::resume_evaluation,
        chat_completions::list_models,
        chat_completions::complete_chat,
        conversations::list_conversations,
        conversations::create_conversation,
        conversations::read_conversation,
        conversations::replace_conversation,
        conversations::delete_conversation,
    ),
    components(schemas(Problem)),
    modifiers(&Refusals),
)]
struct Document;

/// Gives every operation the refusal that all share, unless it has its own.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let refusal = ResponseBuilder::new()
            .description("a refusal, and what to do")
            .content("application/problem+json", content)
            .build();
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            let responses = &mut operation.responses.responses;
            responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(refusal.clone()));
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, patch, delete, .. } = path;
    [get, put, post, patch, delete].into_iter().flatten()
}
