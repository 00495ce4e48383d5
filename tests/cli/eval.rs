//! `weft eval`.

use std::process::Output;

use serde_json::{Value, json};

use crate::{
    train::BY_HEART,
    weft::{file, mini, printed, refused, text, told, weft},
};

/// What the smallest model can be taught, in two languages.
const IN_FAMILIES: &str = r#"{"question":"你好?","answer":"好","tags":["zh"]}
{"question":"who?","answer":"me","tags":["en","short"]}
{"question":"1+1","answer":"2","tags":["short"]}
"#;

#[test]
fn what_was_learned_is_counted_before_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let (data, adapter) = (file(dir.path(), "pairs.jsonl", IN_FAMILIES), dir.path().join("run"));
    let (model, adapter) = (mini(), text(&adapter));
    let train = ["train", "--model", &model, "--data", &data, "--output", &adapter];
    printed(&[&train[..], &BY_HEART].concat());
    let eval = ["eval", "--model", &model, "--data", &data, "--adapter", &adapter];

    let scores: Value = serde_json::from_str(&printed(&[&eval[..], &["--json"]].concat())).unwrap();
    let lines = printed(&eval);

    for (column, share) in [("base", 0.0), ("adapter", 1.0)] {
        let scores = &scores[column];
        assert_eq!((&scores["all"]["asked"], &scores["all"]["share"]), (&json!(3), &json!(share)));
        for (family, asked) in [("zh", 1), ("en", 1), ("short", 2)] {
            let score = &scores["families"][family];
            assert_eq!((&score["asked"], &score["share"]), (&json!(asked), &json!(share)));
        }
        let interval = &scores["all"]["interval"];
        assert!(interval[0].as_f64() <= Some(share) && Some(share) <= interval[1].as_f64());
    }
    assert_eq!(columns(&lines, "short"), ["short", "base", "0/2", "adapter", "2/2"]);
    assert_eq!(columns(&lines, "all"), ["all", "base", "0/3", "adapter", "3/3"]);
}

/// Whatever the model answers is one family's wanted answer, so that this holds for any weights.
#[test]
fn the_embedded_model_is_right_where_its_own_answer_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        weft(args).env("WEFT_CACHE_DIR", dir.path().join("cache")).output().unwrap()
    };
    let chat = ["chat", "--model", "embedded", "--greedy", "--json", "--template", "training"];
    let own = run(&[&chat[..], &["--prompt", "who are you?"]].concat());
    let own = serde_json::from_str::<Value>(&stdout(&own)).unwrap()["text"].take();
    let pair = |answer: Value, family| {
        json!({ "question": "who are you?", "answer": answer, "tags": [family] }).to_string()
    };
    let pairs = [pair(own, "own"), pair(json!("a teapot"), "other"), pair(json!("x"), "late")];
    let data = file(dir.path(), "pairs.jsonl", &pairs.join("\n"));

    let eval = ["eval", "--model", "embedded", "--data", &data, "--limit", "2", "--show-wrong"];
    let evaluated = run(&eval);

    let lines = stdout(&evaluated);
    assert_eq!(columns(&lines, "own"), ["own", "base", "1/1"]);
    assert_eq!(columns(&lines, "other"), ["other", "base", "0/1"]);
    assert_eq!(columns(&lines, "all"), ["all", "base", "1/2"]);
    assert!(!lines.contains("late"), "{lines}");
    let wrong = told(&evaluated);
    assert!(wrong.contains("who are you?\n  wanted \"a teapot\"\n  found  "), "{wrong}");
    assert_eq!(wrong.matches("wanted").count(), 1, "{wrong}");
}

#[test]
fn what_cannot_be_evaluated_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (model, none) = (mini(), text(&dir.path().join("none.jsonl")));
    let data = file(dir.path(), "pairs.jsonl", IN_FAMILIES);
    let broken = file(dir.path(), "broken.jsonl", "{\"question\":\"a\"}\n");
    let empty = text(dir.path());
    let of_another = text(&weft_tests::fixture("peft_adapter"));
    let with_data = ["--model", &model, "--data", &data];

    for (args, words) in [
        (&["--model", &model, "--data", &none][..], &["cannot read", "none.jsonl"][..]),
        (&["--model", &model, "--data", &broken], &["broken.jsonl", "line 1", "no usable pair"]),
        (&["--model", &none, "--data", &data], &["none.jsonl", "embedded"]),
        (&[&with_data[..], &["--adapter", &empty]].concat(), &["adapter_config.json"]),
        (&[&with_data[..], &["--adapter", &of_another]].concat(), &["[2, 8]", "[2, 32]"]),
        (&[&with_data[..], &["--limit", "0"]].concat(), &["--limit", "0"]),
        (&["--model", &model], &["--data"]),
    ] {
        let error = refused(&[&["eval"], args].concat());
        for word in words {
            assert!(error.contains(word), "{args:?}: {word} is not in {error}");
        }
    }
}

#[test]
fn the_help_says_what_is_right() {
    let help = printed(&["eval", "--help"]);

    for words in ["answered greedily", "95 % confidence", "--show-wrong"] {
        assert!(help.contains(words), "{words} is not in {help}");
    }
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", told(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The line of a family: its name, and of each column the name and the count.
#[track_caller]
fn columns<'a>(lines: &'a str, family: &str) -> Vec<&'a str> {
    let line = lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = line.into_iter().find(|words| words[0] == family).unwrap();
    // `base 1/2 50.0 % (9.5 to 90.5)`
    let columns = line[1..].chunks(7).flat_map(|column| &column[..2]);
    [line[0]].into_iter().chain(columns.copied()).collect()
}
