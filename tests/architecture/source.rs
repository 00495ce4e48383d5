//! The workspace's source files.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The Rust files at `place`, a file or a folder, as paths from the root.
pub(crate) fn rust_files(place: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&root().join(place), &mut files);
    files.sort();
    files.iter().map(|file| file.strip_prefix(root()).unwrap().to_owned()).collect()
}

/// The code of a file: without comments, which may name what the code must not know.
pub(crate) fn code(file: &Path) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let without_comment = |line: &str| match line.find("//") {
        Some(0) => String::new(),
        Some(at) if line[..at].ends_with(' ') => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|line| without_comment(line) + "\n").collect()
}

fn collect(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_file() {
        files.push(place.to_owned());
        return;
    }
    for entry in place.read_dir().unwrap_or_else(|error| panic!("{}: {error}", place.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
            collect(&path, files);
        }
    }
}
