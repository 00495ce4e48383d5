//! `weft model`.

use std::fs;

use crate::weft::{mini, printed, refused, text};

#[test]
fn the_full_model_is_counted_from_its_configuration_alone() {
    let dir = tempfile::tempdir().unwrap();
    let config = fs::read_to_string(format!("{}/config.json", mini())).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    for (key, value) in [
        ("vocab_size", 150_528),
        ("hidden_size", 4096),
        ("inner_hidden_size", 16_384),
        ("num_layers", 28),
        ("num_attention_heads", 32),
    ] {
        config[key] = value.into();
    }
    fs::write(dir.path().join("config.json"), config.to_string()).unwrap();

    let shown = printed(&["model", "show", "--model", &text(dir.path()), "--lora-r", "8"]);

    for number in ["3,670,016", "6,258,876,416", "0.0586"] {
        assert!(shown.contains(number), "{number} is not in\n{shown}");
    }
}

#[test]
fn a_converted_model_answers_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let converted = text(&dir.path().join("converted"));
    printed(&["model", "convert", "--model", &mini(), "--output", &converted, "--dtype", "f32"]);

    let answer = |model: &str| {
        let chat = ["chat", "--model", model, "--prompt", "你好", "--greedy", "--json"];
        printed(&[&chat[..], &["--max-tokens", "12"]].concat())
    };

    assert_eq!(answer(&converted), answer(&mini()));
    let again = ["model", "convert", "--model", &mini(), "--output", &converted];
    assert!(refused(&again).contains("converted"));
}
