//! HTTP: the page, and what the page asks for.
//!
//! Each file has the routes of one resource; this one merges them and puts the guard in front.

mod access;
mod adapters;
mod chat_completions;
mod conversations;
mod datasets;
mod error;
mod evaluations;
mod guard;
mod jobs;
mod json;
mod metrics;
mod model;
mod openai_error;
mod openapi;
pub mod page;
mod path;
mod session;
mod status;
mod tokenizer;

use std::sync::Arc;

pub use access::{Access, AccessError};
use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{Method, Uri},
    middleware,
};
pub use error::ApiError;

use self::{metrics::Metrics, page::Page};
use crate::{
    completions::Completions,
    data_dir::DataDir,
    engine::Engine,
    jobs::{Jobs, JobsError},
    store::{self, Store},
};

/// Bytes of a body, where a route does not say another number.
const LARGEST_BODY: usize = 2 << 20;

/// What the handlers share.
#[derive(Clone)]
pub struct AppState {
    page: Page,
    engine: Arc<Engine>,
    /// In `ChatGlmTokenizer`'s own form.
    tokenizer: Bytes,
    store: Store,
    jobs: Jobs,
    completions: Completions,
    access: Access,
    metrics: Metrics,
}

impl AppState {
    /// Opens what the folder holds, for a page and a model.
    pub fn open(page: Page, engine: Arc<Engine>, data_dir: DataDir) -> Result<Self, JobsError> {
        let store = Store::open(&data_dir.database())?;
        let jobs = Jobs::open(store.clone(), data_dir.clone(), engine.clone())?;
        let completions = Completions::new(engine.clone(), store.clone(), data_dir);
        let tokenizer = engine.tokenizer().to_bytes().into();
        Ok(Self {
            page,
            engine,
            tokenizer,
            store,
            jobs,
            completions,
            access: Access::default(),
            metrics: Metrics::default(),
        })
    }

    /// Lets others in than this machine alone.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Ends what would go on for long: the running job, streams of events, and answers that are being written.
    pub fn end(&self) {
        self.completions.end();
        self.jobs.end();
    }

    /// The jobs, for who runs them.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Asks the store, on a thread that may wait for the disk.
    async fn stored<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> store::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let store = self.store.clone();
        let answer = tokio::task::spawn_blocking(move || call(&store)).await;
        Ok(answer.map_err(|_| ApiError::Ended)??)
    }

    /// Asks the jobs, likewise; a check or a dry run computes.
    async fn of_jobs<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Jobs) -> Result<T, JobsError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let jobs = self.jobs.clone();
        let answer = tokio::task::spawn_blocking(move || call(&jobs)).await;
        Ok(answer.map_err(|_| ApiError::Ended)??)
    }
}

/// Every route, and the guard in front of them.
pub fn router(state: AppState) -> Router {
    Router::new()
        .merge(status::routes())
        .merge(session::routes())
        .merge(metrics::routes())
        .merge(tokenizer::routes())
        .merge(model::routes())
        .merge(datasets::routes())
        .merge(conversations::routes())
        .merge(jobs::routes())
        .merge(adapters::routes())
        .merge(evaluations::routes())
        .merge(chat_completions::routes())
        .merge(openapi::routes())
        .fallback(page::send)
        .method_not_allowed_fallback(refuse_method)
        .with_state(state.clone())
        // From the inside out: the last one sees a request first.
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(state.clone(), guard::check_token))
        .layer(middleware::from_fn_with_state(state.clone(), guard::check_host))
        .layer(middleware::from_fn(openai_error::translate))
        .layer(middleware::map_response(guard::add_headers))
        .layer(middleware::from_fn_with_state(state, metrics::count))
}

async fn refuse_method(method: Method, uri: Uri) -> ApiError {
    ApiError::WrongMethod { method: method.to_string(), path: uri.path().to_owned() }
}
