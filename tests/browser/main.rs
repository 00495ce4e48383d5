//! What a person does in the page, in a real browser; a user's sentence a test.
//!
//! Run by `cargo xtask test`, which builds page and server first and says where they and the browser are.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod accessibility;
mod browser;
mod chat;
mod dataset;
mod evaluate;
mod inspect;
mod models;
mod pictures;
mod remembered;
mod server;
mod token;
mod train;
mod whole_loop;
