//! What is said of a folder, with and without weights.

use std::{fs, path::Path};

use super::*;

#[test]
fn a_configuration_alone_is_enough() {
    let dir = tempfile::tempdir().unwrap();
    let config = r#"{"model_type": "chatglm", "hidden_size": 4096, "inner_hidden_size": 16384,
        "num_attention_heads": 32, "num_layers": 28, "vocab_size": 150528}"#;
    fs::write(dir.path().join("config.json"), config).unwrap();

    let facts = facts(dir.path());

    let text = facts.to_string();
    assert!(text.contains("trainable 3,670,016 of 6,258,876,416, 0.0586 %"), "{text}");
    assert!(text.contains("(0-27): 28 x GLMBlock("), "{text}");
    assert!(text.contains("150,528 rows for 150,344 tokens"), "{text}");
    assert!(text.contains("weights      none in this folder"), "{text}");
    assert!(facts.problems.is_empty(), "{:?}", facts.problems);
}

#[test]
fn weights_are_described_where_they_are() {
    let facts = facts(&mini());

    let weights = facts.weights.unwrap();
    assert_eq!((weights.form, weights.files.len()), ("torch", 2));
    assert_eq!(weights.dtypes, ["f16"]);
    assert_eq!(weights.unusable, [""; 0]);
}

#[test]
fn damaged_weights_are_a_problem_and_the_rest_is_still_said() {
    let dir = tempfile::tempdir().unwrap();
    fs::copy(mini().join("config.json"), dir.path().join("config.json")).unwrap();
    fs::write(dir.path().join("pytorch_model.bin"), b"no weights").unwrap();

    let facts = facts(dir.path());

    assert!(facts.problems[0].contains("it is not a zip"));
    assert!(facts.to_string().contains("problem "));
}

fn facts(dir: &Path) -> ModelFacts {
    ModelFacts::of(&ModelDir::open(dir).unwrap(), 8, &[Target::QueryKeyValue])
}

fn mini() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/mini/checkpoint")
}
