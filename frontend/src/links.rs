//! Addresses of pages that say what is to be opened there.

use js_sys::encode_uri_component;

/// The page Chat, with this adapter answering.
pub fn chat_with(adapter: &str) -> String {
    format!("/chat?adapter={}", encode_uri_component(adapter))
}

/// The page Evaluate, with this adapter chosen.
pub fn evaluate(adapter: &str) -> String {
    format!("/evaluate?adapter={}", encode_uri_component(adapter))
}

/// The page Evaluate, with this adapter and the version that it was trained on chosen.
pub fn evaluate_on(adapter: &str, dataset: i64, version: u32) -> String {
    format!("{}&dataset={dataset}&version={version}", evaluate(adapter))
}

/// The page Evaluate, with an evaluation opened.
pub fn evaluation(id: i64) -> String {
    format!("/evaluate?evaluation={id}")
}
