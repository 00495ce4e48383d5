//! `weft model show`.

use std::fs;

use crate::weft::{mini, printed, text};

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
