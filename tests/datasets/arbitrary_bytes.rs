//! No file makes a reader panic.

use proptest::prelude::*;
use weft_shared::dataset::{Form, read};

proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        read_all(&bytes);
    }

    #[test]
    fn pieces_of_json(pieces in prop::collection::vec(prop::sample::select(JSON.to_vec()), 0..40)) {
        read_all(pieces.concat().as_bytes());
    }

    #[test]
    fn pieces_of_tables(pieces in prop::collection::vec(prop::sample::select(TABLE.to_vec()), 0..40)) {
        read_all(format!("question,answer\n{}", pieces.concat()).as_bytes());
    }
}

const JSON: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\\",
    "\n",
    " ",
    "\"question\":",
    "\"answer\":",
    "\"a\"",
    "\"messages\":",
    "\"conversations\":",
    "{\"role\":\"user\",\"content\":\"a\"}",
    "{\"question\":\"a\",\"answer\":\"b\"}",
    "null",
    "1",
    "你",
];
const TABLE: &[&str] =
    &["a", "\"", "\"\"", ",", "\n", "\r\n", "\r", "\u{feff}", "你", " ", "a,b\n", "\"a\",\"b\"\n"];

fn read_all(bytes: &[u8]) {
    let lines = bytes.split(|&byte| byte == b'\n').count();
    for form in Form::all().map(Some).chain([None]) {
        let Ok(read) = read(bytes, form) else { continue };

        assert_eq!(read.lines.len(), read.pairs.len());
        assert!(read.lines.is_sorted() && read.lines.iter().all(|line| (1..=lines).contains(line)));
        assert!(read.problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
    }
}
