//! What each page knows and how that changes: plain Rust, tested without a browser.

pub mod chart;
pub mod chat;
pub mod chat_settings;
pub mod chip;
pub mod dataset;
pub mod encoding;
pub mod evaluate;
pub mod inspect;
pub mod markdown;
pub mod models;
pub mod row_layout;
pub mod sse;
pub mod train;
