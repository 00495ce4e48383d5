//! What browser and server say to each other over HTTP, one file a resource.

pub mod problem;
pub mod status;
