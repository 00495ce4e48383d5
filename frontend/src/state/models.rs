//! What the page Models says of a model and its adapters.

use weft_shared::{api::model::ModelInfo, training::LoraOptions};

/// Most characters of an adapter's name.
const LONGEST_NAME: usize = 64;
/// So many characters of a fingerprint tell models apart for a person.
const SHORT: usize = 12;
/// All linear layers of a block, as PEFT names them together.
const ALL_LINEAR: &str = "all-linear";

/// Weights that a run with these options learns: for each linear layer `r * (inputs + outputs)`.
pub fn trainable(model: &ModelInfo, lora: &LoraOptions) -> u64 {
    let (hidden, inner) = (model.hidden_size, model.inner_hidden_size);
    let layers = [
        ("query_key_value", hidden + 3 * hidden),
        ("dense", hidden + hidden),
        ("dense_h_to_4h", hidden + inner),
        ("dense_4h_to_h", inner + hidden),
    ];
    let is_chosen = |name: &str| {
        lora.target_modules.iter().any(|chosen| chosen == name || chosen == ALL_LINEAR)
    };
    let of_block: usize =
        layers.into_iter().filter(|&(name, _)| is_chosen(name)).map(|(_, sizes)| sizes).sum();
    (model.num_layers * lora.r * of_block) as u64
}

/// The begin of a fingerprint.
pub fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(SHORT).collect()
}

/// Whether an adapter can have this name: it is written behind a `:` in a model's name, and in paths.
pub fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=LONGEST_NAME).contains(&name.chars().count())
        && name.chars().all(is_allowed)
        && name.chars().any(char::is_alphanumeric)
}

/// How an unpacked adapter of a published model is used with the Python library that made the form popular.
pub fn python(base: &str, adapter: &str) -> String {
    format!(
        "from peft import PeftModel\n\
         from transformers import AutoModel, AutoTokenizer\n\n\
         base = \"{base}\"\n\
         tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=True)\n\
         model = AutoModel.from_pretrained(base, trust_remote_code=True).half().cuda()\n\
         model = PeftModel.from_pretrained(model, \"./{adapter}\").eval()\n\n\
         # As the pairs were trained: 问:… and 答:\n\
         prompt = \"问:你好\\n答: \"\n\
         answer, _ = model.chat(tokenizer, prompt)\n\
         print(answer)\n"
    )
}

/// The same without Python.
pub fn command(base: &str, adapter: &str) -> String {
    format!("weft chat --model {base} --adapter ./{adapter} --template training --prompt \"你好\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ChatGLM-6B's sizes.
    fn chatglm_6b() -> ModelInfo {
        ModelInfo {
            name: "chatglm-6b".into(),
            fingerprint: "0123456789abcdef".into(),
            revision: "main".into(),
            device: "cpu".into(),
            dtype: "f16".into(),
            parameters: 6_173_286_400,
            modules: String::new(),
            hidden_size: 4096,
            inner_hidden_size: 16384,
            num_layers: 28,
            num_attention_heads: 32,
            vocab_size: 130_528,
            tokens: 130_344,
            max_sequence_length: 2048,
            rehearsal_pairs: 0,
            card: None,
            recommended: weft_shared::api::model::Recommended::default(),
        }
    }

    #[test]
    fn the_tutorials_adapter_has_the_published_size() {
        assert_eq!(trainable(&chatglm_6b(), &LoraOptions::default()), 3_670_016);
    }

    #[test]
    fn every_linear_layer_counts_where_all_are_chosen() {
        let all = |names: &[&str]| LoraOptions {
            target_modules: names.iter().map(|&name| name.to_owned()).collect(),
            ..LoraOptions::default()
        };
        let each = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"];

        let together = trainable(&chatglm_6b(), &all(&["all-linear"]));

        assert_eq!(together, trainable(&chatglm_6b(), &all(&each)));
        assert_eq!(together, 28 * 8 * (4 + 2 + 5 + 5) * 4096);
    }

    #[test]
    fn a_name_is_letters_digits_and_a_few_signs() {
        for good in ["tea", "茶馆-2", "v1.0_b"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "a:b", "a/b", "..", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn usage_names_model_and_folder() {
        let python = python("THUDM/chatglm-6b", "tea");

        assert!(python.contains("base = \"THUDM/chatglm-6b\"\n"));
        assert!(python.contains("from_pretrained(model, \"./tea\")"));
        assert!(
            command("embedded", "tea").starts_with("weft chat --model embedded --adapter ./tea ")
        );
    }

    #[test]
    fn a_fingerprint_is_told_by_its_begin() {
        assert_eq!(short(&chatglm_6b().fingerprint), "0123456789ab");
    }
}
