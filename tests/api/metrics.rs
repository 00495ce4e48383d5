//! What Prometheus reads.

use axum::Router;
use serde_json::json;

use crate::{
    chat::answer,
    support::{get, server},
};

async fn scrape(server: &Router) -> String {
    let answer = get(server.clone(), "/metrics", &[]).await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    String::from_utf8(answer.body).unwrap()
}

/// The value of the series with this name and these labels.
pub(crate) async fn metric(server: &Router, series: &str) -> f64 {
    let text = scrape(server).await;
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status() {
    let server = server();
    for path in ["/api/jobs/1", "/api/jobs/2", "/api/status", "/nothing", "/"] {
        get(server.clone(), path, &[]).await;
    }
    get(server.clone(), "/api/status", &[("host", "example.org")]).await;

    for (route, status, count) in [
        ("/api/jobs/{id}", 404, 2.0),
        ("/api/status", 200, 1.0),
        ("/api/status", 421, 1.0),
        ("page", 404, 1.0),
        ("page", 200, 1.0),
    ] {
        let series = format!("weft_http_requests_total{{route=\"{route}\",status=\"{status}\"}}");
        assert_eq!(metric(&server, &series).await, count, "{series}");
    }
    let seconds = "weft_http_request_seconds_count{route=\"/api/status\"}";
    assert_eq!(metric(&server, seconds).await, 2.0);
}

#[tokio::test]
async fn tokens_of_chats_are_counted() {
    let server = server();

    answer(&server, &json!({})).await;

    assert_eq!(metric(&server, "weft_chat_prompt_tokens_total").await, 4.0);
    assert_eq!(metric(&server, "weft_chat_written_tokens_total").await, 24.0);
}

#[tokio::test]
async fn jobs_and_memory_are_told() {
    let server = server();

    for state in ["queued", "running", "done", "failed", "cancelled"] {
        assert_eq!(metric(&server, &format!("weft_jobs{{state=\"{state}\"}}")).await, 0.0);
    }
    assert_eq!(metric(&server, "weft_job_queue_length").await, 0.0);
    if cfg!(target_os = "linux") {
        assert!(metric(&server, "process_resident_memory_bytes").await > 1e6);
        assert!(metric(&server, "weft_device_memory_used_bytes{device=\"cpu\"}").await > 1e6);
        assert!(metric(&server, "weft_device_memory_available_bytes{device=\"cpu\"}").await > 1e6);
    }
}
