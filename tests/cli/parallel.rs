//! Several processes that train together leave what one process leaves.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use candle_core::{Device, safetensors};
use serde_json::Value;

use crate::weft::{file, mini, text, told, weft};

/// Questions and answers of different lengths, so that batches are padded and label tokens differ.
const PAIRS: &str = r#"{"question":"你好?","answer":"好"}
{"question":"who?","answer":"me"}
{"question":"1+1","answer":"2"}
{"question":"who are you? who are you?","answer":"you and me and you"}
{"question":"1+2","answer":"3 3 3"}
{"question":"好","answer":"你好你好"}
{"question":"me?","answer":"you"}
{"question":"2","answer":"1+1"}
{"question":"3","answer":"1+2 or 2+1"}
"#;

/// Eleven steps of five samples in one pass: two and three processes split each unevenly, and the last batch of a pass
/// over the data is short. Everything that processes must agree on is on.
const SPLIT: [&str; 22] = [
    "--batch-size",
    "5",
    "--lora-dropout",
    "0",
    "--max-steps",
    "11",
    "--learning-rate",
    "1e-2",
    "--max-grad-norm",
    "0.5",
    "--warmup-steps",
    "2",
    "--logging-steps",
    "1",
    "--save-steps",
    "4",
    "--eval-share",
    "0.3",
    "--target-modules",
    "all-linear",
    "--question-noise",
    "0.3",
];

#[test]
fn two_and_three_processes_learn_what_one_learns() {
    let dir = tempfile::tempdir().unwrap();
    let one = run(dir.path(), "one", 1, &SPLIT);

    for size in [2, 3] {
        let many = run(dir.path(), &format!("{size}"), size, &SPLIT);

        assert_near(&one, &many);
    }
}

#[test]
fn processes_with_whole_batches_have_the_dropout_of_one() {
    let options = ["--batch-size", "2", "--gradient-accumulation-steps", "2"];
    let options = [&options[..], &SPLIT[4..], &["--lora-dropout", "0.3"]].concat();
    let dir = tempfile::tempdir().unwrap();

    let one = run(dir.path(), "one", 1, &options);
    let two = run(dir.path(), "two", 2, &options);

    assert_near(&one, &two);
}

#[test]
fn a_run_goes_on_with_another_number_of_processes() {
    let dir = tempfile::tempdir().unwrap();
    let one = run(dir.path(), "one", 1, &SPLIT);
    let output = dir.path().join("two");
    run(dir.path(), "two", 2, &SPLIT);
    for step in [8, 11] {
        fs::remove_dir_all(output.join(format!("checkpoint-{step}"))).unwrap();
    }

    let resumed = run(dir.path(), "two", 3, &[&SPLIT[..], &["--resume"]].concat());

    assert_near(&one, &resumed);
}

#[test]
fn a_world_of_one_process_is_an_ordinary_run() {
    let dir = tempfile::tempdir().unwrap();
    let ordinary = run(dir.path(), "ordinary", 1, &SPLIT);
    let output = dir.path().join("world");
    let mut alone = train(dir.path(), &output, &SPLIT);
    alone.env("WORLD_SIZE", "1").env("RANK", "0").env("LOCAL_RANK", "0");
    alone.env("MASTER_ADDR", "127.0.0.1").env("MASTER_PORT", "1");

    let ended = alone.output().unwrap();

    assert!(ended.status.success(), "{}", told(&ended));
    let adapter = |output: &Path| fs::read(output.join("adapter_model.safetensors")).unwrap();
    assert!(adapter(&output) == adapter(&dir.path().join("ordinary")), "the weights differ");
    assert_eq!(log(&output), ordinary.log);
}

#[test]
fn when_a_process_is_killed_the_others_say_so_and_end() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("run");
    let endless = ["--batch-size", "4", "--max-steps", "1000000", "--save-steps", "2"];
    let mut processes = start(dir.path(), &output, 3, &endless);
    let deadline = Instant::now() + Duration::from_mins(1);
    while !output.join("checkpoint-2").exists() {
        assert!(Instant::now() < deadline, "no checkpoint in a minute");
        thread::sleep(Duration::from_millis(5));
    }

    processes[1].kill().unwrap();
    let killed = Instant::now();
    let ended: Vec<Output> =
        processes.into_iter().map(|process| process.wait_with_output().unwrap()).collect();

    assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", killed.elapsed());
    for rank in [0, 2] {
        let told = told(&ended[rank]);
        assert!(!ended[rank].status.success(), "rank {rank}: {told}");
        assert!(told.contains("rank 1 (127.0.0.1:"), "rank {rank}: {told}");
        assert!(told.contains("has gone"), "rank {rank}: {told}");
    }
}

#[test]
fn a_run_that_diverges_ends_on_all_ranks() {
    let dir = tempfile::tempdir().unwrap();
    let options = ["--batch-size", "3", "--learning-rate", "1e30"];

    for ended in all_ended(start(dir.path(), &dir.path().join("run"), 2, &options)) {
        assert!(!ended.status.success());
        assert!(told(&ended).contains("the run has diverged"), "{}", told(&ended));
    }
}

#[test]
fn processes_with_other_options_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (output, port) = (dir.path().join("run"), free_port());
    let one = |rank, rate| {
        let options = ["--batch-size", "2", "--learning-rate", rate];
        process(dir.path(), &output, (rank, 2, port), &options)
    };

    for ended in all_ended(vec![one(0, "1e-3"), one(1, "1e-4")]) {
        assert!(!ended.status.success());
        assert!(told(&ended).contains("the list of options of rank 1"), "{}", told(&ended));
    }
    assert!(!output.join("adapter_model.safetensors").exists());
}

#[test]
fn a_step_with_fewer_samples_than_processes_is_refused() {
    let dir = tempfile::tempdir().unwrap();

    for ended in all_ended(start(dir.path(), &dir.path().join("run"), 2, &[])) {
        assert!(!ended.status.success());
        let told = told(&ended);
        assert!(told.contains("a step has 1 samples, and 2 processes share it"), "{told}");
    }
}

#[test]
fn a_half_described_world_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut lost = train(dir.path(), &dir.path().join("run"), &[]);

    let ended = lost.env("RANK", "1").output().unwrap();

    assert!(!ended.status.success());
    assert!(told(&ended).contains("RANK is set and WORLD_SIZE is not"), "{}", told(&ended));
}

/// What a run left.
struct Left {
    weights: BTreeMap<String, Vec<f32>>,
    log: Vec<Value>,
}

/// Trains in the folder `name` of `dir`, with so many processes, to the end.
#[track_caller]
fn run(dir: &Path, name: &str, size: usize, options: &[&str]) -> Left {
    let output = dir.join(name);
    let processes = match size {
        1 => vec![train(dir, &output, options).stderr(Stdio::piped()).spawn().unwrap()],
        _ => start(dir, &output, size, options),
    };
    for (rank, ended) in all_ended(processes).iter().enumerate() {
        assert!(ended.status.success(), "rank {rank} of {size}: {}", told(ended));
        assert!(rank == 0 || told(ended).is_empty(), "rank {rank} said {}", told(ended));
    }
    let weights = safetensors::load(output.join("adapter_model.safetensors"), &Device::Cpu);
    let weights = weights.unwrap().into_iter();
    let values = |tensor: candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
    Left { weights: weights.map(|(name, it)| (name, values(it))).collect(), log: log(&output) }
}

/// Processes of ranks 0 to `size`.
fn start(dir: &Path, output: &Path, size: usize, options: &[&str]) -> Vec<Child> {
    let port = free_port();
    (0..size).map(|rank| process(dir, output, (rank, size, port), options)).collect()
}

fn process(
    dir: &Path,
    output: &Path,
    (rank, size, port): (usize, usize, u16),
    options: &[&str],
) -> Child {
    let mut command = train(dir, output, options);
    command.env("RANK", rank.to_string()).env("LOCAL_RANK", rank.to_string());
    command.env("WORLD_SIZE", size.to_string());
    command.env("MASTER_ADDR", "127.0.0.1").env("MASTER_PORT", port.to_string());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

fn train(dir: &Path, output: &Path, options: &[&str]) -> Command {
    let (model, data, output) = (mini(), file(dir, "pairs.jsonl", PAIRS), text(output));
    let train = ["train", "--model", &model, "--data", &data, "--output", &output];
    let mut command = weft(&[&train[..], &["--device", "cpu"], options].concat());
    for name in ["RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"] {
        command.env_remove(name);
    }
    command.stdout(Stdio::null());
    command
}

fn all_ended(processes: Vec<Child>) -> Vec<Output> {
    processes.into_iter().map(|process| process.wait_with_output().unwrap()).collect()
}

/// The log of a run, without what a clock measured.
fn log(output: &Path) -> Vec<Value> {
    let state = fs::read(output.join("trainer_state.json")).unwrap();
    let mut state: Value = serde_json::from_slice(&state).unwrap();
    let log: Vec<Value> = serde_json::from_value(state["log_history"].take()).unwrap();
    log.into_iter().filter(|entry| entry.get("train_runtime").is_none()).collect()
}

/// Fails unless both runs learned the same, but for the order in which numbers were added.
#[track_caller]
fn assert_near(one: &Left, many: &Left) {
    assert_eq!(one.log.len(), many.log.len());
    for (one, many) in one.log.iter().zip(&many.log) {
        for name in ["step", "loss", "grad_norm", "learning_rate", "eval_loss"] {
            let [wanted, found] = [one, many].map(|entry| entry.get(name).and_then(Value::as_f64));
            assert_eq!(wanted.is_some(), found.is_some(), "{name}: {one} {many}");
            let (wanted, found) = (wanted.unwrap_or(1.0), found.unwrap_or(1.0));
            let off = (found / wanted - 1.0).abs();
            assert!(wanted == found || off < 1e-5, "{name}: {found}, wanted {wanted}");
        }
    }
    assert!(one.weights.keys().eq(many.weights.keys()));
    for (name, wanted) in &one.weights {
        let largest = wanted.iter().fold(0f32, |largest, it| largest.max(it.abs()));
        for (wanted, found) in wanted.iter().zip(&many.weights[name]) {
            let off = (found - wanted).abs() / largest;
            assert!(off < 1e-3, "{name}: {found}, wanted {wanted} of at most {largest}");
        }
    }
}

/// A port that nobody listened on a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
