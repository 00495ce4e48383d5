//! Training runs: started, followed, cancelled, resumed.

use std::time::Duration;

use axum::{Router, http::Method};
use serde_json::{Value, json};
use weft_shared::{
    api::{
        adapter::AdapterInfo,
        job::{Check, DryRun, Job, JobEvent, JobEventKind, JobState, Severity},
        model::ModelInfo,
    },
    manifest::Manifest,
};

use crate::support::{get, rehearsing_server, send, server, working_server};

/// Three pairs, in the dataset 1.
pub(crate) async fn add_dataset(server: &Router) {
    let new = json!({ "name": "mine", "pairs": [
        { "question": "a", "answer": "1" },
        { "question": "b", "answer": "2 3" },
        { "question": "c d", "answer": "4" },
    ]});
    assert_eq!(send(server, Method::POST, "/api/datasets", &new).await.status, 201);
}

/// A run of some steps, each of which is told of.
async fn new_job(server: &Router, max_steps: usize) -> Value {
    let model: ModelInfo = get(server.clone(), "/api/model", &[]).await.json(200);
    let mut options = serde_json::to_value(model.recommended.options).unwrap();
    options["max_steps"] = json!(max_steps);
    options["save_steps"] = json!(4);
    options["learning_rate"] = json!(0.01);
    let encoding = model.recommended.encoding;
    json!({ "name": "run", "dataset": 1, "encoding": encoding, "options": options, "pinned": ["a"] })
}

pub(crate) async fn start(server: &Router, max_steps: usize) -> Job {
    let new = new_job(server, max_steps).await;
    send(server, Method::POST, "/api/jobs", &new).await.json(201)
}

/// The events behind `after`, until the job is over.
async fn events(server: &Router, job: i64, after: &str) -> Vec<JobEvent> {
    let path = format!("/api/jobs/{job}/events");
    let answer = get(server.clone(), &path, &[("last-event-id", after)]).await;
    let text = String::from_utf8(answer.body).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|json| serde_json::from_str(json).unwrap()).collect()
}

/// Loss by step, as a page draws it: what a start says anew is in the place of what was said before.
fn curve(events: &[JobEvent]) -> Vec<(usize, f64)> {
    let mut curve = Vec::new();
    for event in events {
        match event.kind {
            JobEventKind::Started { first_step, .. } => {
                curve.retain(|&(step, _)| step <= first_step);
            }
            JobEventKind::Step { step, loss, .. } => curve.push((step, loss)),
            _ => {}
        }
    }
    curve
}

async fn wait_for(server: &Router, job: i64, wanted: impl Fn(&Job) -> bool) -> Job {
    for _ in 0..600 {
        let job: Job = get(server.clone(), &format!("/api/jobs/{job}"), &[]).await.json(200);
        if wanted(&job) {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not come so far");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_as_an_adapter_and_every_step_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_dataset(&server).await;

    let job = start(&server, 6).await;
    let events = events(&server, job.id, "0").await;

    assert!(events.iter().map(|event| event.seq).eq(1..=events.len() as u64), "a gap");
    assert_eq!(curve(&events).iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let last = &events.last().unwrap().kind;
    assert_eq!(*last, JobEventKind::State { state: JobState::Done, error: None });
    let answered: Vec<usize> = events
        .iter()
        .filter_map(|event| match &event.kind {
            JobEventKind::Answers { step, answers } => {
                assert_eq!(
                    (answers[0].question.as_str(), answers[0].wanted.as_deref()),
                    ("a", Some("1"))
                );
                Some(*step)
            }
            _ => None,
        })
        .collect();
    assert_eq!(answered, [0, 4, 6]);
    let job: Job = get(server.clone(), "/api/jobs/1", &[]).await.json(200);
    assert_eq!((job.step, job.total_steps, job.adapter.as_deref()), (6, 6, Some("run")));
    let adapters: Vec<AdapterInfo> = get(server, "/api/adapters", &[]).await.json(200);
    assert!(adapters[0].is_usable && adapters[0].job == Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_is_told_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_dataset(&server).await;
    let job = start(&server, 3).await;
    let all = events(&server, job.id, "0").await;

    let rest = events(&server, job.id, "4").await;
    let seen = all.len().to_string();
    let nothing = get(server, "/api/jobs/1/events", &[("last-event-id", &seen)]).await;

    assert_eq!(rest, all[4..]);
    assert_eq!(nothing.status, 204, "a browser then stays away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_dataset(&server).await;
    let job = start(&server, 400).await;
    wait_for(&server, job.id, |job| job.step >= 2).await;

    send(&server, Method::POST, "/api/jobs/1/cancel", &()).await.json::<Job>(200);
    let cancelled = wait_for(&server, job.id, |job| job.state == JobState::Cancelled).await;
    assert!(cancelled.step < 400);
    let twice = send(&server, Method::POST, "/api/jobs/1/cancel", &()).await;
    send(&server, Method::POST, "/api/jobs/1/resume", &()).await.json::<Job>(200);
    wait_for(&server, job.id, |job| job.state == JobState::Done).await;

    assert_eq!(twice.status, 409);
    let events = events(&server, job.id, "0").await;
    assert!(curve(&events).iter().map(|it| it.0).eq(1..=400), "a step is missing or twice");
    let starts: Vec<usize> = events
        .iter()
        .filter_map(|event| match event.kind {
            JobEventKind::Started { first_step, .. } => Some(first_step),
            _ => None,
        })
        .collect();
    assert_eq!(starts, [0, cancelled.step], "the checkpoint is of the step that it was stopped at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_goes_on_with_the_run_when_it_starts_again() {
    let (broken, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (server, worker) = working_server(whole.path());
    add_dataset(&server).await;
    let unbroken = events(&server, start(&server, 60).await.id, "0").await;
    drop((server, worker));

    let (server, worker) = working_server(broken.path());
    add_dataset(&server).await;
    let job = start(&server, 60).await;
    wait_for(&server, job.id, |job| job.step >= 3).await;
    drop((server, worker));
    let (server, _worker) = working_server(broken.path());
    let resumed = events(&server, job.id, "0").await;

    assert_eq!(curve(&resumed), curve(&unbroken));
    let weights = |folder: &tempfile::TempDir| {
        std::fs::read(folder.path().join("adapters/1/adapter_model.safetensors")).unwrap()
    };
    assert_eq!(weights(&broken), weights(&whole));
}

#[tokio::test]
async fn a_dataset_without_a_usable_pair_cannot_start() {
    let server = server();
    let new = json!({ "name": "empty" });
    send(&server, Method::POST, "/api/datasets", &new).await;

    let new = new_job(&server, 3).await;
    let answer = send(&server, Method::POST, "/api/jobs", &new).await;

    assert_eq!(answer.status, 422);
    let problem = answer.problem();
    assert_eq!(problem.kind, "/problems/check");
    assert!(problem.findings.iter().any(|it| it.severity == Severity::Refusal));
}

#[tokio::test]
async fn what_the_check_warns_of_starts_only_when_one_says_so() {
    let server = server();
    add_dataset(&server).await;
    let twice = json!({ "revision": 0, "edits": [
        { "do": "add", "pairs": [{ "question": "a", "answer": "1" }] }
    ]});
    send(&server, Method::POST, "/api/datasets/1/edits", &twice).await;
    let mut new = new_job(&server, 3).await;

    let warned = send(&server, Method::POST, "/api/jobs", &new).await;
    new["despite_warnings"] = json!(true);
    let started = send(&server, Method::POST, "/api/jobs", &new).await;

    assert_eq!(warned.status, 422);
    assert_eq!(warned.problem().findings[0].row, Some(4));
    assert_eq!(started.status, 201);
}

#[tokio::test]
async fn data_other_than_the_page_showed_is_refused() {
    let server = server();
    add_dataset(&server).await;
    let mut new = new_job(&server, 3).await;
    let check: Check = send(&server, Method::POST, "/api/check", &new).await.json(200);
    let preview = |digest: &str| json!({ "dataset_digest": digest, "model_fingerprint": check.model_fingerprint });

    new["preview"] = preview("00");
    let other = send(&server, Method::POST, "/api/jobs", &new).await;
    new["preview"] = preview(&check.dataset_digest);
    let same = send(&server, Method::POST, "/api/jobs", &new).await;

    assert_eq!((other.status.as_u16(), same.status.as_u16()), (422, 201));
    assert!(other.problem().detail.contains("reload the page"));
}

#[tokio::test]
async fn a_dry_run_measures_a_step_and_keeps_nothing() {
    let server = server();
    add_dataset(&server).await;
    let new = new_job(&server, 100).await;

    let dry: DryRun = send(&server, Method::POST, "/api/dry-run", &new).await.json(200);

    assert!(dry.step_seconds > 0.0 && dry.loss.is_finite());
    assert_eq!(dry.total_steps, 100);
    assert!((1..=3).contains(&dry.fitting_batch_size));
    let jobs: Vec<Job> = get(server, "/api/jobs", &[]).await.json(200);
    assert_eq!(jobs, []);
}

#[tokio::test]
async fn a_dry_run_rehearses_as_the_run_would() {
    let server = rehearsing_server();
    add_dataset(&server).await;
    let mut new = new_job(&server, 100).await;
    let mut measured = async |rehearsed: usize| -> DryRun {
        new["options"]["rehearsal_batch_size"] = json!(rehearsed);
        send(&server, Method::POST, "/api/dry-run", &new).await.json(200)
    };

    let without = measured(0).await;
    let with = measured(200).await;

    assert!(with.step_seconds > without.step_seconds, "{with:?} {without:?}");
    assert_ne!(with.loss, without.loss);
}

#[tokio::test]
async fn a_dry_run_that_diverges_says_what_to_lower() {
    let server = server();
    add_dataset(&server).await;
    let mut new = new_job(&server, 100).await;
    for (option, found, advice) in [
        ("/options/learning_rate", "found NaN", "Lower the learning rate"),
        ("/options/lora/alpha", "and inf at step 0", "lower lora.alpha"),
    ] {
        let before = std::mem::replace(new.pointer_mut(option).unwrap(), json!(1e38));

        let answer = send(&server, Method::POST, "/api/dry-run", &new).await;

        assert_eq!(answer.status, 422, "{option}");
        let problem = answer.problem();
        assert_eq!((problem.kind.as_str(), problem.status), ("/problems/diverges", 422));
        for word in ["must be finite", found, advice] {
            assert!(problem.detail.contains(word), "{option}: {}", problem.detail);
        }
        *new.pointer_mut(option).unwrap() = before;
    }
}

#[tokio::test]
async fn the_manifest_has_all_that_the_run_was_made_of() {
    let server = server();
    add_dataset(&server).await;
    start(&server, 3).await;

    let manifest: Manifest = get(server, "/api/jobs/1/manifest", &[]).await.json(200);

    assert_eq!((manifest.dataset.name.as_str(), manifest.dataset.pairs.len()), ("mine", 3));
    assert_eq!(manifest.options.max_steps, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_run_leaves_its_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_dataset(&server).await;
    let job = start(&server, 400).await;
    wait_for(&server, job.id, |job| job.state == JobState::Running).await;

    let too_early = send(&server, Method::DELETE, "/api/jobs/1", &()).await;
    events(&server, job.id, "0").await;
    let deleted = send(&server, Method::DELETE, "/api/jobs/1", &()).await;

    assert_eq!((too_early.status.as_u16(), deleted.status.as_u16()), (409, 204));
    assert_eq!(get(server.clone(), "/api/jobs/1", &[]).await.status, 404);
    assert!(!folder.path().join("jobs/1").exists());
    let adapters: Vec<AdapterInfo> = get(server, "/api/adapters", &[]).await.json(200);
    assert_eq!((adapters[0].name.as_str(), adapters[0].job), ("run", None));
    assert!(folder.path().join("adapters/1/adapter_config.json").exists());
}
