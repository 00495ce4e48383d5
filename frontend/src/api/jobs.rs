//! Training runs.

use futures_util::{Stream, StreamExt as _, future, stream};
use gloo_net::eventsource::futures::EventSource;
use weft_shared::{
    api::job::{Check, DryRun, Job, JobEvent, NewJob},
    manifest::Manifest,
};

use super::CallError;

/// Newest first.
pub async fn list() -> Result<Vec<Job>, CallError> {
    super::get("/api/jobs").await
}

pub async fn get(id: i64) -> Result<Job, CallError> {
    super::get(&format!("/api/jobs/{id}")).await
}

/// Encodes and checks, and starts nothing.
pub async fn check(new: &NewJob) -> Result<Check, CallError> {
    super::post("/api/check", new).await
}

/// One real step on the longest samples.
pub async fn dry_run(new: &NewJob) -> Result<DryRun, CallError> {
    super::post("/api/dry-run", new).await
}

pub async fn start(new: &NewJob) -> Result<Job, CallError> {
    super::post("/api/jobs", new).await
}

/// Stops at the next step and keeps a checkpoint.
pub async fn cancel(id: i64) -> Result<Job, CallError> {
    super::post(&format!("/api/jobs/{id}/cancel"), &()).await
}

/// Queues a cancelled or failed job again, from its newest checkpoint.
pub async fn resume(id: i64) -> Result<Job, CallError> {
    super::post(&format!("/api/jobs/{id}/resume"), &()).await
}

pub async fn delete(id: i64) -> Result<(), CallError> {
    super::delete(&format!("/api/jobs/{id}")).await
}

/// What happens to a job, from its first event on. The browser reconnects by itself, behind the last event it saw; the
/// stream ends when the server says that nothing more comes, or when the browser gives up.
pub fn events(id: i64) -> impl Stream<Item = JobEvent> {
    let source = EventSource::new(&format!("/api/jobs/{id}/events")).ok();
    let subscribed = source.and_then(|mut source| {
        let messages = source.subscribe("message").ok()?;
        // The connection is closed when the source is dropped: it goes along with its messages.
        Some(stream::unfold((source, Box::pin(messages)), |(source, mut messages)| async {
            let message = messages.next().await?.ok()?;
            Some((message, (source, messages)))
        }))
    });
    let messages = stream::iter(subscribed).flatten();
    messages.filter_map(|(_, message)| {
        let event = message.data().as_string().and_then(|json| serde_json::from_str(&json).ok());
        future::ready(event)
    })
}

/// Where the run's manifest is, for `weft train --manifest`.
pub fn manifest_url(id: i64) -> String {
    format!("/api/jobs/{id}/manifest")
}

/// All that the run was made of.
pub async fn manifest(id: i64) -> Result<Manifest, CallError> {
    super::get(&manifest_url(id)).await
}
