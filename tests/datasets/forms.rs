//! One file of each form, as its own tools write it.

use weft_shared::dataset::{Form, Record, read};
use weft_shared::pair::{Pair, Turn};

#[test]
fn weft_json_lines() {
    let file = r#"{"question":"谁?","answer":"我","history":[["你好","你好!"]],"system":"简短","tags":["a","b"]}
{"question":"q","answer":"a"}
"#;

    let wanted = Pair {
        history: vec![Turn::new("你好", "你好!")],
        system: Some("简短".into()),
        tags: vec!["a".into(), "b".into()],
        ..Pair::new("谁?", "我")
    };
    check(file, Form::JsonLines(Record::Weft), &[wanted, Pair::new("q", "a")]);
}

#[test]
fn other_names_for_question_and_answer() {
    for file in [
        r#"{"prompt": "q", "response": "a", "history": []}"#,
        r#"{"content": "q", "summary": "a"}"#,
        r#"{"context": "q", "target": "a"}"#,
        r#"{"prompt": "q", "completion": "a"}"#,
        r#"{"input": "q", "output": "a"}"#,
        r#"{"问题": "q", "答案": "a"}"#,
    ] {
        check(file, Form::JsonLines(Record::Weft), &[Pair::new("q", "a")]);
    }
}

#[test]
fn alpaca() {
    let file = r#"[
  {
    "instruction": "Translate.",
    "input": "你好",
    "output": "Hello"
  },
  {
    "instruction": "Why?",
    "input": "",
    "output": "So.",
    "system": "Be brief.",
    "history": [["Who?", "Me."]]
  },
  { "instruction": "Dolly", "context": "calls it so", "response": "yes" }
]"#;

    let with_history = Pair {
        history: vec![Turn::new("Who?", "Me.")],
        system: Some("Be brief.".into()),
        ..Pair::new("Why?", "So.")
    };
    let wanted = [
        Pair::new("Translate.\n你好", "Hello"),
        with_history,
        Pair::new("Dolly\ncalls it so", "yes"),
    ];
    check(file, Form::Json(Record::Alpaca), &wanted);
}

#[test]
fn sharegpt() {
    let file = r#"[{"id": "1", "system": "s", "conversations": [
        {"from": "human", "value": "a"}, {"from": "gpt", "value": "b"},
        {"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]}]"#;

    let wanted = Pair {
        history: vec![Turn::new("a", "b")],
        system: Some("s".into()),
        ..Pair::new("c", "d")
    };
    check(file, Form::Json(Record::ShareGpt), &[wanted]);
}

#[test]
fn openai_messages() {
    let file = r#"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#;

    check(
        file,
        Form::JsonLines(Record::Messages),
        &[Pair { system: Some("s".into()), ..Pair::new("a", "b") }],
    );
}

#[test]
fn csv_from_a_spreadsheet() {
    let file = "\u{feff}问题,答案\r\n\"你好,吗?\",\"他说\"\"好\"\"\r\n再见\"\r\n";

    check(file, Form::Csv, &[Pair::new("你好,吗?", "他说\"好\"\r\n再见")]);
}

#[test]
fn tsv() {
    check("prompt\tresponse\na, b\tc\n", Form::Tsv, &[Pair::new("a, b", "c")]);
}

#[test]
fn pretty_printed_objects_without_a_list() {
    let file = "{\n  \"question\": \"q\",\n  \"answer\": \"a\"\n}\n{\n  \"question\": \"r\",\n  \"answer\": \"b\"\n}\n";

    check(file, Form::Json(Record::Weft), &[Pair::new("q", "a"), Pair::new("r", "b")]);
}

#[test]
fn a_form_that_is_given_is_the_only_one_taken() {
    let file =
        "{\"instruction\": \"i\", \"output\": \"o\"}\n{\"question\": \"q\", \"answer\": \"a\"}\n";

    let read = read(file.as_bytes(), Some(Form::JsonLines(Record::Alpaca))).unwrap();

    assert_eq!(read.pairs, [Pair::new("i", "o")]);
    assert_eq!(read.problems[0].to_string(), "line 2: no `instruction`");
}

fn check(file: &str, form: Form, pairs: &[Pair]) {
    let read = read(file.as_bytes(), None).unwrap();

    assert_eq!(read.problems, []);
    assert_eq!(read.pairs, pairs);
    assert_eq!(read.form, form);
    assert_eq!(read.lines.len(), read.pairs.len());
}
