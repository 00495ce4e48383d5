//! HTTP: the page, and what the page asks for.
//!
//! Each file has the routes of one resource; this one merges them and puts the guard in front.

mod error;
mod guard;
pub mod page;
mod status;
mod tokenizer;

use axum::{Router, body::Bytes, middleware};
pub use error::ApiError;

use self::page::Page;

/// What the handlers share.
#[derive(Clone)]
pub struct AppState {
    pub page: Page,
    /// Where a model was opened.
    pub model: Option<ServedModel>,
}

/// What the page may know of the model.
#[derive(Clone)]
pub struct ServedModel {
    pub name: String,
    /// In `ChatGlmTokenizer`'s own form.
    pub tokenizer: Bytes,
}

/// Every route, and the guard in front of them.
pub fn router(state: AppState) -> Router {
    Router::new()
        .merge(status::routes())
        .merge(tokenizer::routes())
        .fallback(page::send)
        .with_state(state)
        .layer(middleware::from_fn(guard::check_host))
        .layer(middleware::map_response(guard::add_headers))
}
