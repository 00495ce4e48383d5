//! `/metrics`: what the server did and has, in Prometheus' text form.

use std::{fmt, time::Instant};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::prometheus_text::{CONTENT_TYPE, encode},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::Registry,
};
use weft_shared::api::job::{Job, JobState};

use super::{ApiError, AppState, guard};
use crate::{completions::Counts, device::memory, engine::Engine, jobs::Jobs};

/// Seconds, from what the store answers to what a training step holds up.
const SECONDS: [f64; 12] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

const STATES: [(JobState, &str); 5] = [
    (JobState::Queued, "queued"),
    (JobState::Running, "running"),
    (JobState::Done, "done"),
    (JobState::Failed, "failed"),
    (JobState::Cancelled, "cancelled"),
];

type Labels = Vec<(&'static str, String)>;

/// What is counted as it happens; the rest is looked up when somebody asks.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        Self { requests: Family::default(), seconds: Family::new_with_constructor(histogram) }
    }
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/metrics", get(metrics))
}

/// Counts a request under the pattern of its route: names and numbers within it would make a series each.
pub(super) async fn count(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let route = guard::route(&request).unwrap_or("page").to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    let of_route = vec![("route", route)];
    let seconds = started.elapsed().as_secs_f64();
    app.metrics.seconds.get_or_create(&of_route).observe(seconds);
    let status = response.status().as_u16().to_string();
    let labels = of_route.into_iter().chain([("status", status)]).collect();
    app.metrics.requests.get_or_create(&labels).inc();
    response
}

/// Tells what the server did and has, in Prometheus' text form.
#[utoipa::path(get, path = "/metrics", tag = "server",
    responses((status = 200, description = "the metrics", body = String, content_type = CONTENT_TYPE)))]
pub(super) async fn metrics(State(app): State<AppState>) -> Result<Response, ApiError> {
    let jobs = app.of_jobs(Jobs::list).await?;
    let text = app.metrics.text(&jobs, app.completions.counts(), &app.engine);
    let text = text.map_err(|_| ApiError::Ended)?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

impl Metrics {
    fn text(&self, jobs: &[Job], answers: Counts, engine: &Engine) -> Result<String, fmt::Error> {
        let (device, pages) = (engine.device(), engine.memory().pages());
        let mut registry = Registry::with_prefix("weft");
        registry.register(
            "http_requests",
            "Answered requests, by route and status",
            self.requests.clone(),
        );
        registry.register(
            "http_request_seconds",
            "Time from a request to the begin of its answer, by route",
            self.seconds.clone(),
        );
        registry.register(
            "chat_prompt_tokens",
            "Tokens of the prompts of chat requests",
            ConstCounter::new(answers.prompt_tokens),
        );
        registry.register(
            "chat_written_tokens",
            "Tokens of the answers to chat requests",
            ConstCounter::new(answers.written_tokens),
        );
        let active = i64::try_from(answers.active).unwrap_or(i64::MAX);
        registry.register("chats_active", "Answers that are being written", gauge(active));

        for (name, help, count) in [
            ("chat_pages_used", "Pages that chats and remembered prompts have", pages.in_use),
            ("chat_pages", "Pages for chats on the device, used or not", pages.in_use + pages.free),
        ] {
            registry.register(name, help, gauge(i64::try_from(count).unwrap_or(i64::MAX)));
        }
        let page_bytes = gauge(pages.bytes.cast_signed());
        registry.register("chat_page_bytes", "Of 64 tokens of a chat", page_bytes);

        let by_state = Family::<Labels, Gauge>::default();
        let count = |state| {
            let jobs = jobs.iter().filter(|job| job.state == state).count();
            i64::try_from(jobs).unwrap_or(i64::MAX)
        };
        for (state, name) in STATES {
            let labels = vec![("state", name.to_owned())];
            by_state.get_or_create(&labels).set(count(state));
        }
        registry.register("jobs", "Training runs, by state", by_state);
        let waiting = count(JobState::Queued);
        registry.register("job_queue_length", "Training runs that wait", gauge(waiting));

        for (name, help, bytes) in [
            ("device_memory_used_bytes", "Of this process on the device", memory::used(device)),
            (
                "device_memory_available_bytes",
                "Free for more on the device",
                memory::available(device),
            ),
        ] {
            let family = Family::<Labels, Gauge>::default();
            family.get_or_create(&vec![("device", engine.device_name())]).set(bytes.cast_signed());
            registry.register(name, help, family);
        }

        // Without the prefix: the name that every program gives it.
        let mut process = Registry::default();
        let resident = gauge(memory::resident().cast_signed());
        process.register("process_resident_memory_bytes", "Memory of this process", resident);

        let mut text = String::new();
        encode(&mut text, &registry)?;
        encode(&mut text, &process)?;
        Ok(text)
    }
}

fn gauge(value: i64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}
