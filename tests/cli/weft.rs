//! Runs the program.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// The program with these arguments.
pub(crate) fn weft(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weft-under-test"));
    command.args(args).stdin(Stdio::null());
    command
}

/// What it prints; fails the test if it fails.
#[track_caller]
pub(crate) fn printed(args: &[&str]) -> String {
    let output = weft(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// What it says on the error stream when it fails, which it must.
#[track_caller]
pub(crate) fn refused(args: &[&str]) -> String {
    let output = weft(args).output().unwrap();
    assert!(!output.status.success(), "{args:?} was not refused");
    told(&output)
}

/// JSON lines in, JSON lines out.
#[track_caller]
pub(crate) fn piped(args: &[&str], input: &str) -> (Vec<Value>, String) {
    let mut child = weft(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A program that fails early need not read everything.
    let _ = writer.join().unwrap();
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, told(&output))
}

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The smallest model: configuration, weights and a vocabulary of its own.
pub(crate) fn mini() -> String {
    text(&weft_tests::fixture("mini/checkpoint"))
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A file with these lines in `dir`.
pub(crate) fn file(dir: &Path, name: &str, content: &str) -> String {
    let path: PathBuf = dir.join(name);
    fs::write(&path, content).unwrap();
    text(&path)
}

/// Three pairs that the smallest vocabulary can spell.
pub(crate) const PAIRS: &str = r#"{"question":"你好?","answer":"好"}
{"question":"who?","answer":"me"}
{"question":"1+1","answer":"2"}
"#;
