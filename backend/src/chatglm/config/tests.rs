//! Both published configurations, and what is refused with which words.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn the_tutorials_configuration_leaves_masks_and_padding_to_the_code() {
    let config = read(&published()).unwrap();

    assert_eq!(config, ChatGlmConfig::of_shape(28, 4096, 32, 150_528));
    assert_eq!(config.head_dim(), 128);
    assert!(!config.is_main());
}

#[test]
fn the_last_configuration_names_every_id() {
    let config = read(&with(&[
        ("vocab_size", json!(130_528)),
        ("bos_token_id", json!(130_004)),
        ("eos_token_id", json!(130_005)),
        ("mask_token_id", json!(130_000)),
        ("gmask_token_id", json!(130_001)),
        ("pad_token_id", json!(3)),
        ("quantization_bit", json!(0)),
        ("pre_seq_len", Value::Null),
    ]))
    .unwrap();

    assert!(config.is_main());
    assert_eq!(config.special_ids, ModelRevision::Main.special_ids());
}

#[test]
fn what_is_no_chatglm_6b_is_refused_in_words() {
    let cases = [
        ("model_type", json!("llama"), "model_type is \"llama\", wanted \"chatglm\""),
        ("padded_vocab_size", json!(65_024), "a ChatGLM2, ChatGLM3 or GLM-4 (padded_vocab_size"),
        ("multi_query_attention", json!(true), "(multi_query_attention"),
        ("quantization_bit", json!(3), "quantization_bit is 3, wanted 8, 4, 0 or none"),
        ("pre_seq_len", json!(128), "pre_seq_len is 128, wanted 0 or none"),
        ("hidden_size", Value::Null, "hidden_size is missing"),
        ("num_layers", json!(0), "num_layers is 0, wanted 1 to"),
        ("inner_hidden_size", json!(1u64 << 40), "inner_hidden_size is 1099511627776, wanted"),
        (
            "num_attention_heads",
            json!(24),
            "hidden_size is 4096, wanted a multiple of the 24 heads",
        ),
        ("hidden_size", json!(32 * 6), "hidden_size is 192, which makes heads of 6, wanted heads"),
        ("layernorm_epsilon", json!(0), "layernorm_epsilon is 0, wanted above 0"),
        ("mask_token_id", json!(150_528), "mask_token_id is 150528, wanted a row of the 150528"),
        ("vocab_size", json!("many"), "not JSON of the expected form"),
    ];

    for (field, value, words) in cases {
        let error = read(&with(&[(field, value)])).unwrap_err().to_string();
        assert!(error.contains(words), "{field}: {error}");
    }
}

#[test]
fn one_row_of_positions_turns_pairs_of_a_whole_head() {
    let one_row = ("position_encoding_2d", json!(false));

    assert!(read(&with(&[("hidden_size", json!(32 * 6)), one_row.clone()])).is_ok());
    assert!(read(&with(&[("hidden_size", json!(32 * 5)), one_row])).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, at in 0usize..200, byte: u8) {
        let _ = ChatGlmConfig::from_json(&bytes);

        let mut mutated = published().to_string().into_bytes();
        let at = at % mutated.len();
        mutated[at] = byte;
        let _ = ChatGlmConfig::from_json(&mutated);
    }
}

fn published() -> Value {
    json!({
        "_name_or_path": "THUDM/chatglm-6b",
        "bos_token_id": 150_004, "eos_token_id": 150_005, "hidden_size": 4096, "inner_hidden_size": 16_384,
        "layernorm_epsilon": 1e-5, "max_sequence_length": 2048, "model_type": "chatglm",
        "num_attention_heads": 32, "num_layers": 28, "position_encoding_2d": true, "torch_dtype": "float16",
        "use_cache": true, "vocab_size": 150_528
    })
}

fn with(fields: &[(&str, Value)]) -> Value {
    let mut config = published();
    for (field, value) in fields {
        config[*field] = value.clone();
    }
    config
}

fn read(config: &Value) -> Result<ChatGlmConfig, ConfigError> {
    ChatGlmConfig::from_json(config.to_string().as_bytes())
}
