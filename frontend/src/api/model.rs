//! The model that is served.

use weft_shared::api::model::ModelInfo;

use super::CallError;

pub async fn get() -> Result<ModelInfo, CallError> {
    super::get("/api/model").await
}
