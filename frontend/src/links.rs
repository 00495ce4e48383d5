//! Addresses of pages that say what is to be opened there.

use js_sys::encode_uri_component;

/// The page Chat, with this adapter answering.
pub fn chat_with(adapter: &str) -> String {
    format!("/chat?adapter={}", encode_uri_component(adapter))
}
