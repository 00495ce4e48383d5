//! `weft train --manifest`: the same run again.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::weft::{PAIRS, file, mini, printed, refused, text};

/// A short run with everything on that a replay could get wrong.
const OPTIONS: [&str; 14] = [
    "--max-steps",
    "6",
    "--learning-rate",
    "1e-2",
    "--lora-r",
    "4",
    "--lora-dropout",
    "0.2",
    "--eval-share",
    "0.3",
    "--seed",
    "7",
    "--max-target-length",
    "50",
];

/// A run in `dir`, with some options more; its output folder.
fn trained(dir: &Path, name: &str, more: &[&str]) -> String {
    let data = file(dir, "pairs.jsonl", PAIRS);
    let (model, output) = (mini(), text(&dir.join(name)));
    let train = ["train", "--model", &model, "--data", &data, "--output", &output];
    printed(&[&train[..], &OPTIONS, more].concat());
    output
}

fn weights(output: &str) -> Vec<u8> {
    fs::read(Path::new(output).join("adapter_model.safetensors")).unwrap()
}

/// The manifest of a run, changed.
fn changed(dir: &Path, output: &str, change: impl FnOnce(&mut Value)) -> String {
    let manifest = fs::read(Path::new(output).join("manifest.json")).unwrap();
    let mut manifest = serde_json::from_slice(&manifest).unwrap();
    change(&mut manifest);
    file(dir, "changed.json", &manifest.to_string())
}

#[test]
fn a_replayed_run_gives_the_same_weights_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let first = trained(dir.path(), "first", &["--prompt-forms", "training,chat"]);
    let (manifest, again) = (format!("{first}/manifest.json"), text(&dir.path().join("again")));

    printed(&["train", "--manifest", &manifest, "--output", &again]);

    assert!(weights(&first) == weights(&again), "the weights differ");
    let read = |output: &str| -> Value {
        let mut manifest: Value =
            serde_json::from_slice(&fs::read(format!("{output}/manifest.json")).unwrap()).unwrap();
        manifest["created_ms"].take();
        manifest
    };
    assert_eq!(read(&first), read(&again));
}

#[test]
fn a_run_that_started_from_an_adapter_is_replayed_with_that_very_adapter() {
    let dir = tempfile::tempdir().unwrap();
    let start = trained(dir.path(), "start", &[]);
    let other = trained(dir.path(), "other", &["--data-seed", "8"]);
    let second = trained(dir.path(), "second", &["--adapter", &start]);
    let (manifest, again) = (format!("{second}/manifest.json"), text(&dir.path().join("again")));
    let replay = ["train", "--manifest", &manifest, "--output", &again];

    let without = refused(&replay);
    let with_other = refused(&[&replay[..], &["--adapter", &other]].concat());
    printed(&[&replay[..], &["--adapter", &start]].concat());

    assert!(without.contains("--adapter"), "{without}");
    assert!(with_other.contains("digest"), "{with_other}");
    assert!(weights(&second) == weights(&again), "the weights differ");
    assert!(weights(&second) != weights(&start));
}

#[test]
fn another_model_or_other_data_is_refused_with_both_digests() {
    let dir = tempfile::tempdir().unwrap();
    let (first, again) = (trained(dir.path(), "first", &[]), text(&dir.path().join("again")));
    let replay = |manifest: &str| refused(&["train", "--manifest", manifest, "--output", &again]);

    let model = changed(dir.path(), &first, |it| it["model"]["fingerprint"] = json!("f00d"));
    let told = replay(&model);
    assert!(told.contains("f00d") && told.contains("model"), "{told}");

    let data = changed(dir.path(), &first, |it| it["dataset"]["pairs"][0]["answer"] = json!("me"));
    let told = replay(&data);
    assert!(told.contains("encode to"), "{told}");

    let form = changed(dir.path(), &first, |it| it["manifest"] = json!(999));
    let told = replay(&form);
    assert!(told.contains("999"), "{told}");
    assert!(!Path::new(&again).exists(), "nothing was begun");
}

#[test]
fn a_manifest_has_all_options_so_none_is_given_beside_it() {
    for (option, value) in [("--max-steps", "3"), ("--lora-r", "4"), ("--max-source-length", "9")] {
        let told = refused(&["train", "--manifest", "m.json", "--output", "o", option, value]);
        assert!(told.contains("--manifest") && told.contains(option), "{told}");
    }

    let told = refused(&["train", "--manifest", "m.json", "--output", "o", "--data", "d"]);
    assert!(told.contains("--data"), "{told}");

    let told = refused(&["train", "--output", "o", "--data", "d"]);
    assert!(told.contains("--model"), "{told}");
}
