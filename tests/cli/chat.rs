//! `weft chat`.

use serde_json::Value;

use crate::weft::{mini, printed, text};

#[test]
fn one_seed_gives_one_answer() {
    let model = mini();
    let answer = |seed: &str| {
        printed(&[
            "chat",
            "--model",
            &model,
            "--prompt",
            "你好",
            "--seed",
            seed,
            "--json",
            "--max-tokens",
            "12",
        ])
    };

    assert_eq!(answer("1"), answer("1"));
    assert_ne!(answer("1"), answer("2"));
}

#[test]
fn greedy_answers_equal_the_references() {
    let Some(reference) = weft_tests::reference() else { return };
    for revision in ["096f3de", "main"] {
        let dir = reference.join(format!("tiny_{revision}"));
        let golden = std::fs::read_to_string(dir.join("golden.json")).unwrap();
        let golden: Value = serde_json::from_str(&golden).unwrap();
        let wanted = &golden["generate"][0];

        let model = text(&dir.join("checkpoint"));
        let query = wanted["query"].as_str().unwrap();
        let chat = ["chat", "--model", &model, "--prompt", query, "--greedy", "--max-tokens", "24"];
        let told: Value =
            serde_json::from_str(&printed(&[&chat[..], &["--json"]].concat())).unwrap();

        assert_eq!(told["prompt_ids"], wanted["prompt_ids"]);
        assert_eq!(told["ids"], wanted["greedy_ids"]);
    }
}
