//! The server's routes, asked without a socket.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod adapters;
mod bodies;
mod chat;
mod chat_refusals;
mod chat_streams;
mod chats;
mod check;
mod conversations;
mod datasets;
mod end;
mod evaluations;
mod guard;
mod jobs;
mod metrics;
mod openai_client;
mod openapi;
mod page;
mod support;
mod token;
mod tokenizer;
mod versions;
