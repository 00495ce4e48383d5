//! The server's routes, asked without a socket.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod guard;
mod page;
mod support;
mod tokenizer;
