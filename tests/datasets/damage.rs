//! A record that cannot be used is reported with its line, and the others are kept.

use weft_shared::dataset::{DatasetError, read};

#[test]
fn json_lines() {
    let file = r#"{"question": "a", "answer": "b"}
{"question": "a", "answer": "b"

{"question": "a"}
[1]
{"question": 1, "answer": "b"}
{"question": "c", "answer": null}
{"question": "c", "answer": "d", "history": "none"}
{"question": "c", "answer": "d"}
"#;

    let problems = problems(file, 2);

    let wanted = [
        "2: not JSON: EOF while parsing an object (column 31)",
        "4: no question and answer among its fields (question)",
        "5: a record is an object in braces, and this is a list",
        "6: `question` is a number, not text",
        "7: no `answer`",
        "8: `history` is text, not a list of [question, answer]",
    ];
    assert_eq!(problems, wanted);
}

#[test]
fn a_json_list() {
    let file = r#"[
  {"instruction": "a", "output": "b"},
  {"instruction": "a, "output": "b"},
  {"instruction": "a",
   "output": 7},
  {"instruction": "c", "output": "d"}
]"#;

    let problems = problems(file, 2);

    assert_eq!(problems, ["3: not JSON: expected `,` or `}`", "4: `output` is a number, not text"]);
}

#[test]
fn a_table() {
    let problems = problems("question,answer\na,b\na\n\"c\",\"d\ne,f\n", 2);

    assert_eq!(
        problems,
        ["3: 1 fields, and the first line names 2 columns", "4: a quoted field is not closed"]
    );
}

#[test]
fn a_file_that_gives_nothing_is_an_error() {
    for (file, reason) in [
        (&b"\xff\xfea\0"[..], "not UTF-8 from byte 0 on; it is UTF-16, save it as UTF-8"),
        (b"caf\xe9", "not UTF-8 from byte 3 on; save the file as UTF-8"),
        (b"", "the file is empty"),
        (
            b"hello",
            "neither JSON, nor JSON lines, nor a table whose first line names a question and an answer column",
        ),
        (b"[]", "no usable pair"),
        (b"question,answer\n", "no usable pair"),
        (b"{\"a\": 1}", "no usable pair: line 1: no question and answer among its fields (a)"),
        (
            b"{}\n{}",
            "no usable pair: line 1: no question and answer among its fields (none) (and 1 more)",
        ),
    ] {
        assert_eq!(read(file, None).unwrap_err().to_string(), reason);
    }
}

#[test]
fn the_problems_of_a_useless_file_are_all_there() {
    let Err(DatasetError::NoPairs(problems)) = read(b"{}\n{}", None) else {
        panic!("an empty object is no pair")
    };

    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 2]);
}

fn problems(file: &str, good: usize) -> Vec<String> {
    let read = read(file.as_bytes(), None).unwrap();

    assert_eq!(read.pairs.len(), good);
    read.problems.iter().map(|problem| format!("{}: {}", problem.line, problem.reason)).collect()
}
