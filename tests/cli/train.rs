//! `weft train`, and what it leaves.

use std::fs;

use serde_json::Value;

use crate::weft::{PAIRS, file, mini, printed, text};

/// Options of a run that learns three pairs by heart in a moment.
pub(crate) const BY_HEART: [&str; 14] = [
    "--target-modules",
    "all-linear",
    "--max-steps",
    "150",
    "--batch-size",
    "3",
    "--learning-rate",
    "1e-2",
    "--lora-dropout",
    "0",
    "--logging-steps",
    "50",
    "--save-steps",
    "100",
];

#[test]
fn a_trained_adapter_answers_what_it_was_taught() {
    let dir = tempfile::tempdir().unwrap();
    let (data, output) = (file(dir.path(), "pairs.jsonl", PAIRS), text(&dir.path().join("run")));
    let model = mini();
    let train = ["train", "--model", &model, "--data", &data, "--output", &output];

    printed(&[&train[..], &BY_HEART].concat());

    for (question, answer) in [("你好?", "好"), ("who?", "me"), ("1+1", "2")] {
        let chat = ["chat", "--model", &model, "--adapter", &output, "--greedy", "--json"];
        let asked = ["--template", "training", "--prompt", question];
        let told: Value = serde_json::from_str(&printed(&[&chat[..], &asked].concat())).unwrap();
        assert_eq!(told["text"], answer, "{told}");
        assert_eq!(told["finish_reason"], "stop");
    }
}

#[test]
fn a_run_leaves_its_log_and_its_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let (data, output) = (file(dir.path(), "pairs.jsonl", PAIRS), dir.path().join("run"));

    let (model, folder) = (mini(), text(&output));
    let train = ["train", "--model", &model, "--data", &data, "--output", &folder];
    printed(&[&train[..], &BY_HEART].concat());

    let state = fs::read(output.join("trainer_state.json")).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    assert_eq!(state["global_step"], 150);
    let steps: Vec<&Value> = state["log_history"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry.get("loss").is_some())
        .map(|entry| &entry["step"])
        .collect();
    assert_eq!(steps, [50, 100, 150]);
    for step in [100, 150] {
        let checkpoint = output.join(format!("checkpoint-{step}"));
        for name in ["adapter_config.json", "adapter_model.safetensors", "optimizer.safetensors"] {
            assert!(checkpoint.join(name).exists(), "{name} of step {step}");
        }
    }
}
