//! A run that is killed, at any moment, leaves a checkpoint that is whole, and ends where it would have ended.

use std::{
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::weft::{PAIRS, file, mini, printed, text, weft};

const OPTIONS: [&str; 8] =
    ["--max-steps", "120", "--save-steps", "5", "--logging-steps", "10", "--learning-rate", "1e-3"];

#[test]
fn a_killed_run_goes_on_to_the_very_numbers_of_an_unbroken_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = file(dir.path(), "pairs.jsonl", PAIRS);
    let (model, unbroken, broken) =
        (mini(), dir.path().join("unbroken"), dir.path().join("broken"));
    let train = |output: &Path| {
        let head = ["train", "--model", &model, "--data", &data, "--output"].map(str::to_owned);
        [&head[..], &[text(output)], &OPTIONS.map(str::to_owned)].concat()
    };
    let args = |output: &Path| train(output);
    printed(&args(&unbroken).iter().map(String::as_str).collect::<Vec<_>>());

    // Killed again and again, a little later each time.
    let mut kills = 0;
    for attempt in 0..8 {
        let mut args = args(&broken);
        if broken.exists() && newest_step(&broken) > 0 {
            args.push("--resume".to_owned());
        } else if broken.exists() {
            fs::remove_dir_all(&broken).unwrap();
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut child = weft(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let before = newest_step(&broken);
        let deadline = Instant::now() + Duration::from_mins(1);
        while newest_step(&broken) <= before + 5 && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "no checkpoint in a minute");
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(3 * attempt));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills > 0, "the run ended before it could be killed");
    if newest_step(&broken) < 120 {
        let mut args = args(&broken);
        args.push("--resume".to_owned());
        printed(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }

    let read = |output: &Path, name: &str| fs::read(output.join(name)).unwrap();
    let weights = "checkpoint-120/adapter_model.safetensors";
    assert!(read(&unbroken, weights) == read(&broken, weights), "the weights differ");
    assert_eq!(losses(&unbroken), losses(&broken));
}

/// Step of the newest complete checkpoint; 0 if there is none.
fn newest_step(output: &Path) -> usize {
    let Ok(entries) = fs::read_dir(output) else { return 0 };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.strip_prefix("checkpoint-")?.parse().ok()).max().unwrap_or(0)
}

fn losses(output: &Path) -> Vec<Value> {
    let state = fs::read(output.join("checkpoint-120/trainer_state.json")).unwrap();
    let mut state: Value = serde_json::from_slice(&state).unwrap();
    serde_json::from_value(state["log_history"].take()).unwrap()
}
