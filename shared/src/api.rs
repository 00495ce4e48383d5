//! What browser and server say to each other over HTTP, one file a resource.
//!
//! Times are milliseconds since 1970. With the feature `openapi` every type can also describe itself.

pub mod adapter;
pub mod chat;
pub mod conversation;
pub mod dataset;
pub mod estimate;
pub mod evaluation;
pub mod job;
pub mod model;
pub mod problem;
pub mod session;
pub mod status;
