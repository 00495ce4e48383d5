//! One idea a file: how long it may be.

use std::fs;

use crate::source::{root, rust_files};

const LONGEST_FILE: usize = 400;
/// A model is read beside the paper, top to bottom.
const LONGER: [(&str, usize); 1] = [("backend/src/chatglm.rs", 600)];

#[test]
fn no_file_is_too_long() {
    for file in all_files() {
        let longest = LONGER
            .iter()
            .find(|(name, _)| file.ends_with(name))
            .map_or(LONGEST_FILE, |&(_, lines)| lines);
        let lines = fs::read_to_string(root().join(&file)).unwrap().lines().count();
        assert!(lines <= longest, "{} has {lines} lines", file.display());
    }
}

#[test]
fn every_file_says_first_what_it_is() {
    for file in all_files() {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        assert!(text.starts_with("//! "), "{} does not start with //!", file.display());
    }
}

fn all_files() -> impl Iterator<Item = std::path::PathBuf> {
    ["shared", "backend", "frontend", "tests", "xtask"]
        .into_iter()
        .flat_map(rust_files)
        .filter(|file| !file.starts_with("tests/fuzz"))
}
