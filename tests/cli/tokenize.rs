//! `weft tokenize`.

use serde_json::json;

use crate::weft::{mini, piped, text};

#[test]
fn a_text_becomes_ids_and_comes_back() {
    let (lines, errors) =
        piped(&["tokenize", "--tokenizer", &mini()], "{\"text\":\"你好 who\"}\n{\"text\":\"\"}\n");

    assert_eq!(lines.len(), 2, "{errors}");
    assert_eq!(lines[0]["decoded"], "你好 who");
    let count = lines[0]["ids"].as_array().unwrap().len();
    for list in ["tokens", "offsets"] {
        assert_eq!(lines[0][list].as_array().unwrap().len(), count, "{list}");
    }
    assert_eq!(lines[1]["ids"], json!([]));
}

#[test]
fn special_tokens_are_appended_when_asked_for() {
    let vocabulary = text(&weft_tests::fixture("mini/checkpoint/ice_text.model"));

    let (lines, _) =
        piped(&["tokenize", "--tokenizer", &vocabulary, "--with-special"], "{\"text\":\"\"}\n");

    assert_eq!(lines[0]["ids"], json!([301, 304]));
}

#[test]
fn every_reference_line_is_tokenized_as_the_original_does() {
    let Some(reference) = weft_tests::reference() else { return };
    for revision in ["096f3de", "main"] {
        let wanted = std::fs::read_to_string(reference.join(format!("tokenizer_{revision}.jsonl")));
        let wanted = wanted.unwrap();
        let model = text(&reference.join(format!("tiny_{revision}/checkpoint")));

        let (lines, errors) = piped(&["tokenize", "--tokenizer", &model], &wanted);

        assert_eq!(lines.len(), wanted.lines().count(), "{errors}");
        for (line, wanted) in lines.iter().zip(wanted.lines()) {
            let wanted: serde_json::Value = serde_json::from_str(wanted).unwrap();
            assert_eq!(line["ids"], wanted["ids"], "{}", wanted["text"]);
            assert_eq!(line["decoded"], wanted["decoded"], "{}", wanted["text"]);
        }
    }
}
