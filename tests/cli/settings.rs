//! Options from a file, the environment and the command line.

use std::fs;

use crate::weft::{PAIRS, file, mini, text, told, weft};

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let data = file(dir.path(), "pairs.jsonl", PAIRS);
    let config = file(
        dir.path(),
        "weft.toml",
        &format!("model = {:?}\n[train]\nmax-steps = 3\nsave_steps = 2\nlora-r = 2", mini()),
    );
    let run = |name: &str, flags: &[&str], variable: Option<&str>| {
        let output = dir.path().join(name);
        let mut command = weft(&["--config", &config, "train", "--data", &data]);
        command.args(["--output", &text(&output)]).args(flags);
        if let Some(steps) = variable {
            command.env("WEFT_MAX_STEPS", steps);
        }
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{}", told(&ended));
        let state = fs::read_to_string(output.join("trainer_state.json")).unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        state["global_step"].as_u64().unwrap()
    };

    assert_eq!(run("file", &[], None), 3);
    assert_eq!(run("environment", &[], Some("4")), 4);
    assert_eq!(run("flag", &["--max-steps", "5"], Some("4")), 5);
}

#[test]
fn a_misspelled_option_in_the_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = file(dir.path(), "weft.toml", "[train]\nlearning-rat = 1e-4\n");

    let ended = weft(&["--config", &config, "model", "show"]).output().unwrap();

    assert!(!ended.status.success());
    assert!(told(&ended).contains("learning-rat"), "{}", told(&ended));
}
