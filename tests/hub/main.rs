//! Models from a hub: a small server on this machine stands for it.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod fetch;
mod server;
mod trouble;
