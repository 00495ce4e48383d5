//! Training in a running server: killed, ended, chatted with, and made again from its manifest.

use std::{fs, path::Path};

use serde_json::{Value, json};
use weft_shared::api::job::{Job, JobEventKind, JobState};

use crate::{
    server::{Curves, Server},
    weft::{file, mini, printed, text},
};

const STEPS: usize = 300;

/// The weights of the adapter that the job made.
fn weights(data: &Path) -> Vec<u8> {
    fs::read(data.join("adapters/1/adapter_model.safetensors")).unwrap()
}

#[test]
fn a_server_that_is_killed_finishes_its_run_as_if_nothing_had_been() {
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(whole.path());
    server.start_job(STEPS);
    let unbroken = Curves::of(&server.follow());

    let server = Server::start(broken.path());
    server.start_job(STEPS);
    let mut kill_at = 30;
    let mut running = Some(server);
    for _ in 0..3 {
        let server = running.take().unwrap();
        server.wait_for(|job| job.step >= kill_at && job.state == JobState::Running);
        server.kill();
        kill_at += 60;
        running = Some(Server::start(broken.path()));
    }
    let server = running.unwrap();
    let events = server.follow();

    assert!(events.iter().map(|event| event.seq).eq(1..=events.len() as u64), "a gap");
    let starts = events.iter().filter(|it| matches!(it.kind, JobEventKind::Started { .. }));
    assert_eq!(starts.count(), 4);
    let resumed = Curves::of(&events);
    assert_eq!(resumed.losses.len(), STEPS);
    assert_eq!(resumed, unbroken);
    assert!(weights(broken.path()) == weights(whole.path()), "the weights differ");
}

#[test]
fn the_command_line_makes_the_very_adapter_of_a_job_from_its_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    server.start_job(25);
    server.wait_for(|job| job.state == JobState::Done);
    let manifest = file(dir.path(), "downloaded.json", &server.get("/api/jobs/1/manifest"));
    let again = text(&dir.path().join("again"));

    printed(&["train", "--manifest", &manifest, "--output", &again]);

    let model: Value = serde_json::from_str(&fs::read_to_string(&manifest).unwrap()).unwrap();
    assert_eq!(model["model"]["name"], mini());
    let made = fs::read(Path::new(&again).join("adapter_model.safetensors")).unwrap();
    assert!(made == weights(dir.path()), "the weights differ");
}

#[test]
fn a_chat_is_answered_while_steps_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    server.start_job(4000);
    let before = server.wait_for(|job| job.step >= 5);
    let models: Value = server.get_json("/v1/models");
    let ask = json!({
        "model": models["data"][0]["id"], "max_tokens": 16, "temperature": 0,
        "messages": [{ "role": "user", "content": "who?" }]
    });

    let answer: Value = server.post("/v1/chat/completions", &ask);
    let after: Job = server.get_json("/api/jobs/1");

    assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() > 0, "{answer}");
    assert_eq!(after.state, JobState::Running, "the answer came only when the run was over");
    assert!(after.step > before.step, "the run waited for the answer");
}

#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_end_keeps_a_checkpoint_and_ends_although_a_page_listens() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    server.start_job(4000);
    let stopped_at = std::thread::scope(|scope| {
        let follower = scope.spawn(|| server.follow());
        server.wait_for(|job| job.step >= 5);
        server.ask_to_end();
        let told = follower.join().unwrap();
        Curves::of(&told).losses.last().map_or(0, |it| it.0)
    });
    server.has_ended();

    let server = Server::start(dir.path());
    server.wait_for(|job| job.step > stopped_at);
    server.post::<Job>("/api/jobs/1/cancel", &json!(null));
    server.wait_for(|job| job.state == JobState::Cancelled);
    let events = server.follow();

    let states: Vec<JobState> = events
        .iter()
        .filter_map(|event| match event.kind {
            JobEventKind::State { state, .. } => Some(state),
            _ => None,
        })
        .collect();
    assert_eq!(
        states,
        [
            JobState::Queued,
            JobState::Running,
            JobState::Queued,
            JobState::Running,
            JobState::Cancelled
        ]
    );
    let starts: Vec<usize> = events
        .iter()
        .filter_map(|event| match event.kind {
            JobEventKind::Started { first_step, .. } => Some(first_step),
            _ => None,
        })
        .collect();
    assert!(starts[1] >= 5, "no step was computed twice: {starts:?}");
    let losses = Curves::of(&events).losses;
    assert!(losses.iter().map(|it| it.0).eq(1..=losses.len()), "a step is missing or twice");
}
