//! A running `weft serve`.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Ends when dropped.
pub(crate) struct Server {
    program: Child,
    pub(crate) url: String,
    _data: TempDir,
}

impl Server {
    /// Starts the built server on a free port, with an empty data folder and some more arguments.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut program = Command::new(setting("WEFT_TEST_SERVER"))
            .args(["serve", "--port", "0", "--data-dir"])
            .arg(data.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("Weft is at ")
            .unwrap_or_else(|| panic!("the server said {line:?}"));
        Self { url: url.to_owned(), program, _data: data }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which the test has seen then.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// What `cargo xtask test` sets.
pub(crate) fn setting(name: &str) -> PathBuf {
    env::var_os(name)
        .map_or_else(|| panic!("{name} is not set: run `cargo xtask test`"), PathBuf::from)
}

/// The vocabulary to open: the published one where the reference data is, else the small one.
pub(crate) fn published_vocabulary() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent()?.to_owned();
    let places = [root.join("../shared/reference"), root.join("../../shared/reference")];
    let file = places
        .iter()
        .map(|place| place.join("tiny_096f3de/checkpoint/ice_text.model"))
        .find(|file| file.exists());
    file.and_then(|file| file.canonicalize().ok())
}
