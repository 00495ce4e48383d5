//! What is said of a run before it starts.

use axum::{Router, http::Method};
use serde_json::{Value, json};
use weft_shared::api::{
    job::{Check, Job, JobState, RunFinding, Severity},
    model::ModelInfo,
};

use crate::support::{get, send, server, working_server};

/// A run over these pairs, with the model's options.
async fn new_job(server: &Router, pairs: &[(&str, &str)]) -> Value {
    let pair =
        |(question, answer): &(&str, &str)| json!({ "question": question, "answer": answer });
    let pairs: Vec<Value> = pairs.iter().map(pair).collect();
    let dataset = json!({ "name": "mine", "pairs": pairs });
    let dataset: Value = send(server, Method::POST, "/api/datasets", &dataset).await.json(201);
    let model: ModelInfo = get(server.clone(), "/api/model", &[]).await.json(200);
    let mut options = serde_json::to_value(model.recommended.options).unwrap();
    options["max_steps"] = json!(3);
    let encoding = model.recommended.encoding;
    json!({ "name": "run", "dataset": dataset["id"], "encoding": encoding, "options": options })
}

async fn check(server: &Router, new: &Value) -> Check {
    send(server, Method::POST, "/api/check", new).await.json(200)
}

/// Severity, row and words of each finding.
fn found(check: &Check) -> Vec<(Severity, Option<i64>, String)> {
    check.findings.iter().map(|it| (it.severity, it.row, it.finding.to_string())).collect()
}

#[tokio::test]
async fn a_sound_run_is_counted_and_nothing_is_found() {
    let server = server();
    let new = new_job(&server, &[("a", "1"), ("b", "2 3"), ("c d", "4")]).await;

    let check = check(&server, &new).await;

    assert_eq!(found(&check), []);
    assert_eq!((check.samples, check.held_out, check.total_steps), (3, 0, 3));
    assert!(check.learned_tokens > 3 && check.learned_tokens < check.tokens);
    assert!(check.longest_sample * 3 >= check.tokens);
    let memory = check.estimate.memory;
    assert!(check.trainable_parameters > 0 && memory.kept_bytes > 0);
    assert!(memory.peak_bytes > memory.weights_bytes + memory.kept_bytes);
    assert_eq!(check.estimate.time, None, "nothing has been measured without a worker");
    assert_eq!(check.dataset_digest.len(), 64);
}

#[tokio::test]
async fn each_doubtful_pair_is_named_with_its_row() {
    let server = server();
    let pairs = [("a", "1"), ("", "2"), ("b", ""), ("[MASK]", "3"), ("a", "1")];
    let mut new = new_job(&server, &pairs).await;
    new["encoding"]["max_target_length"] = json!(1);
    new["encoding"]["truncation"] = json!("end");
    let with_long = json!({ "revision": 0, "edits": [
        { "do": "add", "pairs": [{ "question": "c", "answer": "1 2 3 4 5" }] }
    ]});
    send(&server, Method::POST, "/api/datasets/1/edits", &with_long).await;

    let check = check(&server, &new).await;

    assert!(check.findings.iter().all(|it| it.severity == Severity::Warning));
    let rows: Vec<i64> = check.findings.iter().filter_map(|it| it.row).collect();
    for row in [2, 3, 4, 5, 6] {
        assert!(rows.contains(&row), "{:?}", found(&check));
    }
}

#[tokio::test]
async fn a_pair_that_is_left_out_is_named_and_the_last_one_is_a_refusal() {
    let server = server();
    let mut new = new_job(&server, &[("a", "1"), ("b", "1 2 3 4 5 6 7 8 9")]).await;
    new["encoding"]["max_target_length"] = json!(4);
    new["encoding"]["truncation"] = json!("drop");

    let some = check(&server, &new).await;
    new["encoding"]["max_target_length"] = json!(0);
    let none = check(&server, &new).await;

    assert!(matches!(some.findings[0].finding, RunFinding::NothingLearned { pair: 1, .. }));
    assert_eq!((some.findings[0].severity, some.samples), (Severity::Warning, 1));
    assert!(none.findings.iter().any(|it| it.severity == Severity::Refusal), "{:?}", found(&none));
}

#[tokio::test]
async fn a_text_in_both_parts_is_a_leak() {
    let server = server();
    let mut new = new_job(&server, &[("a", "1"), ("a", "1")]).await;
    new["options"]["eval_share"] = json!(0.5);

    let check = check(&server, &new).await;

    assert_eq!((check.samples, check.held_out), (1, 1));
    let is_leak = |it: &RunFinding| matches!(it, RunFinding::Leak { .. });
    assert!(check.findings.iter().any(|it| is_leak(&it.finding)), "{:?}", found(&check));
}

#[tokio::test]
async fn what_cannot_be_is_refused_even_when_one_insists() {
    let server = server();
    let sound = new_job(&server, &[("a", "1")]).await;
    let changed = |pointer: &str, value: Value| {
        let mut new = sound.clone();
        new["despite_warnings"] = json!(true);
        new["adapter"] = json!(null);
        *new.pointer_mut(pointer).unwrap() = value;
        new
    };

    for (new, named) in [
        (changed("/options/batch_size", json!(0)), "batch_size"),
        (changed("/options/method", json!("full")), "weft train"),
        (changed("/options/lora/target_modules", json!(["nowhere"])), "target_modules"),
        (changed("/encoding/position_encoding_2d", json!(false)), "position_encoding_2d"),
        (changed("/name", json!("  ")), "name"),
        (changed("/adapter", json!("nobody's")), "nobody's"),
    ] {
        let answer = send(&server, Method::POST, "/api/jobs", &new).await;

        assert_eq!(answer.status, 422, "{named}");
        let problem = answer.problem();
        assert!(problem.detail.contains(named), "{named}: {}", problem.detail);
        assert!(problem.findings.iter().any(|it| it.severity == Severity::Refusal), "{named}");
    }
    assert!(get(server, "/api/jobs", &[]).await.json::<Vec<Job>>(200).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_starts_from_an_adapter_and_has_its_shape() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    let mut new = new_job(&server, &[("a", "1"), ("b", "2")]).await;
    new["options"]["lora"]["r"] = json!(2);
    send(&server, Method::POST, "/api/jobs", &new).await.json::<Job>(201);
    get(server.clone(), "/api/jobs/1/events", &[]).await;
    new["options"]["lora"]["r"] = json!(8);
    let fresh = check(&server, &new).await;

    new["adapter"] = json!("run");
    let further = check(&server, &new).await;
    send(&server, Method::POST, "/api/jobs", &new).await.json::<Job>(201);
    get(server.clone(), "/api/jobs/2/events", &[]).await;

    assert_eq!(further.trainable_parameters * 4, fresh.trainable_parameters);
    let job: Job = get(server.clone(), "/api/jobs/2", &[]).await.json(200);
    assert_eq!((job.state, job.adapter.as_deref()), (JobState::Done, Some("run-2")), "{job:?}");
    let manifest: Value = get(server, "/api/jobs/2/manifest", &[]).await.json(200);
    assert_eq!(manifest["start_from"]["name"], "run");
    assert_eq!(manifest["options"]["lora"]["r"], 2);
}
