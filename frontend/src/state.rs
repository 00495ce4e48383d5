//! What each page knows and how that changes: plain Rust, tested without a browser.

pub mod chip;
pub mod inspect;
