//! `weft dataset`.

use std::fs;

use serde_json::{Value, json};

use crate::weft::{file, mini, printed, refused, text, told, weft};

const CONVERSATION: &str = r#"[{"conversations": [
  {"from": "human", "value": "who?"}, {"from": "gpt", "value": "me"},
  {"from": "human", "value": "你好?"}, {"from": "gpt", "value": "好"}]}]"#;

#[test]
fn a_conversation_is_converted_to_alpaca() {
    let dir = tempfile::tempdir().unwrap();
    let conversation = file(dir.path(), "talk.json", CONVERSATION);

    let alpaca = printed(&["dataset", "convert", &conversation, "--to", "alpaca-jsonl"]);

    let wanted =
        json!({"instruction": "你好?", "input": "", "output": "好", "history": [["who?", "me"]]});
    assert_eq!(serde_json::from_str::<Value>(&alpaca).unwrap(), wanted);
}

#[test]
fn every_answer_can_be_a_pair_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let conversation = file(dir.path(), "talk.json", CONVERSATION);
    let table = text(&dir.path().join("pairs.csv"));

    printed(&["dataset", "convert", &conversation, "--every-answer", "--output", &table]);

    let wanted = "question,answer,history\nwho?,me,\n你好?,好,\"[[\"\"who?\"\",\"\"me\"\"]]\"\n";
    assert_eq!(fs::read_to_string(table).unwrap(), wanted);
}

#[test]
fn what_a_form_cannot_hold_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let pairs = file(dir.path(), "pairs.jsonl", r#"{"question":"a","answer":"b","tags":["t"]}"#);

    let output = weft(&["dataset", "convert", &pairs, "--to", "messages"]).output().unwrap();

    assert!(told(&output).contains("messages-jsonl cannot hold tags: left out of 1 pairs"));
}

#[test]
fn check_names_lines() {
    let dir = tempfile::tempdir().unwrap();
    let pairs = file(
        dir.path(),
        "pairs.jsonl",
        "{\"question\":\"a\",\"answer\":\"b\"}\n\nbroken\n{\"question\":\"\",\"answer\":\"b\"}\n\
         {\"question\":\"a\",\"answer\":\"b\"}\n{\"question\":\"who?\",\"answer\":\"me me me\"}\n",
    );
    let model = mini();
    let check = ["dataset", "check", &pairs, "--model", &model, "--max-target-length", "3"];

    let found = printed(&check);

    let lines: Vec<_> = found.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(lines[..4], ["line 3", "line 4", "line 5", "line 6"], "{found}");
    assert!(found.contains("line 5: the same as line 1\n"), "{found}");
    assert!(found.ends_with("4 pairs (weft-jsonl), 1 records that cannot be used, 3 findings\n"));
    assert!(refused(&[&check[..], &["--strict"]].concat()).contains("4 things found"));
}

#[test]
fn stats_and_json_tell_the_digest() {
    let dir = tempfile::tempdir().unwrap();
    let pairs = file(dir.path(), "pairs.jsonl", crate::weft::PAIRS);
    let model = mini();

    let stats = printed(&["dataset", "stats", &pairs, "--model", &model, "--json"]);
    let in_words = printed(&["dataset", "stats", &pairs, "--model", &model]);

    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!((&stats["pairs"], &stats["samples"]), (&json!(3), &json!(3)));
    let digest = stats["digest"].as_str().unwrap();
    assert_eq!(digest.len(), 64);
    assert!(in_words.starts_with(&format!("3 pairs (weft-jsonl), 3 samples, digest {digest}\n")));
}

#[test]
fn a_file_without_pairs_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let pairs = file(dir.path(), "pairs.jsonl", "{\"text\":\"a\"}\n");

    let told = refused(&["dataset", "convert", &pairs, "--to", "csv"]);

    assert!(
        told.contains("no usable pair: line 1: no question and answer among its fields (text)")
    );
}
