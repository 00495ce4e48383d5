//! `weft encode`.

use serde_json::{Value, json};

use crate::weft::{PAIRS, mini, piped, text};

#[test]
fn a_pair_becomes_a_sample() {
    let (lines, errors) = piped(&["encode", "--model", &mini(), "--expand-mask"], PAIRS);

    assert_eq!(lines.len(), 3, "{errors}");
    for line in &lines {
        let seq = line["input_ids"].as_array().unwrap().len();
        assert_eq!(line["labels"].as_array().unwrap().len(), seq);
        assert_eq!(line["position_ids"][1].as_array().unwrap().len(), seq);
        assert_eq!(line["attention_mask"].as_array().unwrap().len(), seq);
        let context_length = line["context_length"].as_u64().unwrap() as usize;
        assert_eq!(line["input_ids"][context_length], 304, "<sop>");
    }
}

#[test]
fn the_published_examples_are_encoded_as_the_reference_does() {
    let Some(reference) = weft_tests::reference() else { return };
    for revision in ["096f3de", "main"] {
        let dir = reference.join(format!("tiny_{revision}"));
        let golden = std::fs::read_to_string(dir.join("golden.json")).unwrap();
        let golden: Value = serde_json::from_str(&golden).unwrap();
        let samples = golden["samples"].as_array().unwrap();
        let pair = |it: &Value| json!({"question": it["question"], "answer": it["answer"]});
        let pairs: Vec<String> = samples.iter().map(|it| pair(it).to_string()).collect();

        let model = text(&dir.join("checkpoint"));
        let (lines, errors) = piped(&["encode", "--model", &model], &pairs.join("\n"));

        assert_eq!(lines.len(), samples.len(), "{errors}");
        for (line, sample) in lines.iter().zip(samples) {
            for name in ["input_ids", "labels", "position_ids"] {
                assert_eq!(line[name], sample[name], "{revision} {name}");
            }
            assert_eq!(line["context_length"], sample["context_len"]);
        }
    }
}

#[test]
fn what_gives_no_sample_is_told_by_its_line() {
    let pairs = "{\"question\":\"a\"}\n\n{\"question\":\"who?\",\"answer\":\"me\"}\n{\"question\":\"who?\",\"answer\":\"me me me me\"}\n";
    let arguments =
        ["encode", "--model", &mini(), "--truncation", "drop", "--max-target-length", "4"];

    let (lines, errors) = piped(&arguments, pairs);

    assert_eq!(lines.len(), 1);
    assert!(
        errors.contains("line 1: no question and answer among its fields (question)"),
        "{errors}"
    );
    assert!(errors.contains("line 4: too long: question "), "{errors}");
}
