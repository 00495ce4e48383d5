//! What a person does in the page, in a real browser; a user's sentence a test.
//!
//! Run by `cargo xtask test`, which builds page and server first and says where they and the browser are.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod browser;
mod inspect;
mod remembered;
mod server;
