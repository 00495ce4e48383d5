//! The adapters of the server.

use weft_shared::api::{adapter::AdapterInfo, dataset::Rename};

use super::{CallError, segment};

/// Newest first.
pub async fn list() -> Result<Vec<AdapterInfo>, CallError> {
    super::get("/api/adapters").await
}

pub async fn rename(name: &str, new_name: String) -> Result<AdapterInfo, CallError> {
    super::patch(&format!("/api/adapters/{}", segment(name)), &Rename { name: new_name }).await
}

pub async fn delete(name: &str) -> Result<(), CallError> {
    super::delete(&format!("/api/adapters/{}", segment(name))).await
}

/// Where the adapter's zip file is, in PEFT's form.
pub fn download_url(name: &str) -> String {
    format!("/api/adapters/{}/download", segment(name))
}
