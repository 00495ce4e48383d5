//! How far a download is.

use std::io::{self, IsTerminal as _, Write as _};

/// One file on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub file: String,
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// Passes what `hf-hub` tells on.
pub(super) struct Watch<'a> {
    progress: Progress,
    tell: &'a mut dyn FnMut(&Progress),
}

impl<'a> Watch<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(&Progress)) -> Self {
        Self { progress: Progress { file: String::new(), done_bytes: 0, total_bytes: 0 }, tell }
    }
}

impl hf_hub::api::Progress for Watch<'_> {
    fn init(&mut self, size: usize, filename: &str) {
        self.progress =
            Progress { file: filename.to_owned(), done_bytes: 0, total_bytes: size as u64 };
    }

    fn update(&mut self, size: usize) {
        self.progress.done_bytes += size as u64;
        (self.tell)(&self.progress);
    }

    fn finish(&mut self) {}
}

/// A line that moves on a terminal; elsewhere a line a file.
pub(super) fn to_stderr() -> impl FnMut(&Progress) {
    let moves = io::stderr().is_terminal();
    let mut shown = (String::new(), u64::MAX);
    move |progress| {
        let percent = progress.done_bytes * 100 / progress.total_bytes.max(1);
        let now = (progress.file.clone(), if moves { percent } else { 0 });
        if shown == now {
            return;
        }
        shown = now;
        let megabytes = progress.total_bytes as f64 / 1e6;
        let file = &progress.file;
        // Nobody is helped by a failed download because its progress could not be shown.
        let _ = if moves {
            let end = if progress.done_bytes >= progress.total_bytes { "\n" } else { "" };
            write!(io::stderr(), "\r{file}: {percent:3} % of {megabytes:.1} MB{end}")
        } else {
            writeln!(io::stderr(), "fetching {file}, {megabytes:.1} MB")
        };
    }
}
