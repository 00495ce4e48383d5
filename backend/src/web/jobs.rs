//! `/api/jobs`: training runs; `/api/check` and `/api/dry-run`: what is known of one before it starts.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use tokio::sync::watch;
use weft_shared::{
    api::{
        job::{Check, DryRun, Job, JobEvent, NewJob},
        problem::Problem,
    },
    manifest::Manifest,
};

use super::{ApiError, AppState, json::Json, path::Path};
use crate::jobs::Jobs;

/// A comment is sent so often where nothing happens, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/check", post(check_job))
        .route("/api/dry-run", post(dry_run))
        .route("/api/jobs", get(list_jobs).post(start_job))
        .route("/api/jobs/{id}", get(read_job).delete(delete_job))
        .route("/api/jobs/{id}/cancel", post(cancel_job))
        .route("/api/jobs/{id}/resume", post(resume_job))
        .route("/api/jobs/{id}/manifest", get(read_manifest))
        .route("/api/jobs/{id}/events", get(follow_job))
}

type Answer<T> = Result<Json<T>, ApiError>;

/// Says what is known of a run before it starts.
///
/// Encodes and checks, and starts nothing.
#[utoipa::path(post, path = "/api/check", tag = "jobs", request_body = NewJob,
    responses((status = 200, description = "what is known", body = Check)))]
pub(super) async fn check_job(
    State(app): State<AppState>,
    Json(new): Json<NewJob>,
) -> Answer<Check> {
    app.of_jobs(move |jobs| jobs.check(&new)).await.map(Json)
}

/// Measures one real step on the longest samples.
#[utoipa::path(post, path = "/api/dry-run", tag = "jobs", request_body = NewJob,
    responses(
        (status = 200, description = "what was measured", body = DryRun),
        (status = 422, description = "the check refuses the run (`/problems/check`), or its loss is no number (`/problems/diverges`)", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn dry_run(
    State(app): State<AppState>,
    Json(new): Json<NewJob>,
) -> Answer<DryRun> {
    app.of_jobs(move |jobs| jobs.dry_run(&new)).await.map(Json)
}

/// Lists the runs.
///
/// Newest first.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs",
    responses((status = 200, description = "all runs", body = Vec<Job>)))]
pub(super) async fn list_jobs(State(app): State<AppState>) -> Answer<Vec<Job>> {
    app.of_jobs(Jobs::list).await.map(Json)
}

/// Queues a run.
///
/// Where the check finds something, the problem has the findings.
#[utoipa::path(post, path = "/api/jobs", tag = "jobs", request_body = NewJob,
    responses((status = 201, description = "the new run", body = Job)))]
pub(super) async fn start_job(
    State(app): State<AppState>,
    Json(new): Json<NewJob>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let job = app.of_jobs(move |jobs| jobs.start(&new)).await?;
    Ok((StatusCode::CREATED, Json(job)))
}

/// Reads how far a run is.
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 200, description = "the run", body = Job)))]
pub(super) async fn read_job(State(app): State<AppState>, Path(id): Path<i64>) -> Answer<Job> {
    app.of_jobs(move |jobs| jobs.get(id)).await.map(Json)
}

/// Deletes a run that is over.
///
/// Its adapter stays.
#[utoipa::path(delete, path = "/api/jobs/{id}", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 204, description = "it is gone")))]
pub(super) async fn delete_job(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<StatusCode, ApiError> {
    app.of_jobs(move |jobs| jobs.delete(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a run at its next step, and keeps a checkpoint.
#[utoipa::path(post, path = "/api/jobs/{id}/cancel", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 200, description = "the run", body = Job)))]
pub(super) async fn cancel_job(State(app): State<AppState>, Path(id): Path<i64>) -> Answer<Job> {
    app.of_jobs(move |jobs| jobs.cancel(id)).await.map(Json)
}

/// Queues a cancelled or failed run again, from its newest checkpoint.
#[utoipa::path(post, path = "/api/jobs/{id}/resume", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 200, description = "the run", body = Job)))]
pub(super) async fn resume_job(State(app): State<AppState>, Path(id): Path<i64>) -> Answer<Job> {
    app.of_jobs(move |jobs| jobs.resume(id)).await.map(Json)
}

/// Gives all that a run is made of.
///
/// A file for `weft train --manifest`.
#[utoipa::path(get, path = "/api/jobs/{id}/manifest", tag = "jobs", params(("id" = i64, Path)),
    responses((status = 200, description = "the manifest", body = Manifest)))]
pub(super) async fn read_manifest(
    State(app): State<AppState>,
    Path(id): Path<i64>,
) -> Result<impl IntoResponse, ApiError> {
    let manifest = app.of_jobs(move |jobs| jobs.manifest(id)).await?;
    let file = format!("attachment; filename=\"weft-job-{id}.json\"");
    Ok(([(header::CONTENT_DISPOSITION, file)], Json(manifest)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Where a browser says nothing itself.
    after: Option<u64>,
}

/// Tells what happens to a run, as it happens.
///
/// Every event behind the last one seen (`Last-Event-ID`), then each as it happens, until the job is over. To a browser that comes back when nothing more will happen the answer is 204, which tells it to stay away.
#[utoipa::path(get, path = "/api/jobs/{id}/events", tag = "jobs", params(("id" = i64, Path), After),
    responses(
        (status = 200, description = "server-sent events, each with one of these as its data", body = JobEvent, content_type = "text/event-stream"),
        (status = 204, description = "nothing more will happen"),
    ))]
pub(super) async fn follow_job(
    State(app): State<AppState>,
    Path(id): Path<i64>,
    after: Result<Query<After>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(After { after }) = after?;
    let last_seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = last_seen.or(after).unwrap_or(0);
    let happenings = app.jobs.happenings();
    let (job, first) =
        app.of_jobs(move |jobs| Ok((jobs.get(id)?, jobs.events_after(id, after)?))).await?;
    if first.is_empty() && job.state.is_over() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let follower = Follower { app, job: id, seen: after, happenings };
    let events = stream::unfold((follower, first.into_iter()), Follower::next);
    Ok(Sse::new(events_of(events))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

/// Follows a job's events from the store.
struct Follower {
    app: AppState,
    job: i64,
    seen: u64,
    happenings: watch::Receiver<u64>,
}

impl Follower {
    /// The next event, from those that were read already or from the store as soon as it has more.
    async fn next(
        (mut this, mut read): (Self, std::vec::IntoIter<JobEvent>),
    ) -> Option<(JobEvent, (Self, std::vec::IntoIter<JobEvent>))> {
        loop {
            if let Some(event) = read.next() {
                this.seen = event.seq;
                return Some((event, (this, read)));
            }
            // Looked at before the store is read: what happens in between is not missed.
            this.happenings.mark_unchanged();
            let (job, seen) = (this.job, this.seen);
            let (state, more) = this
                .app
                .of_jobs(move |jobs| Ok((jobs.get(job)?.state, jobs.events_after(job, seen)?)))
                .await
                .ok()?;
            if more.is_empty() {
                // A stream that went on would keep a server that ends from ending.
                if state.is_over() || this.app.jobs.is_ending() {
                    return None;
                }
                this.happenings.changed().await.ok()?;
            }
            read = more.into_iter();
        }
    }
}

fn events_of(
    events: impl Stream<Item = JobEvent>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    use futures_util::StreamExt as _;
    events.map(|event| {
        let json = serde_json::to_string(&event).unwrap_or_default();
        Ok(Event::default().id(event.seq.to_string()).data(json))
    })
}
