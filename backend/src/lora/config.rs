//! `adapter_config.json`: how PEFT describes an adapter.
//!
//! Keys that would change the result and that Weft does not compute are refused; keys it does not know are told
//! and left out, as PEFT itself does.

use std::path::Path;

use serde_json::{Map, Value, json};
use weft_shared::training::LoraOptions;

use super::{Target, TargetModules};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("it is no JSON")]
    Json(#[from] serde_json::Error),
    #[error("{key}: wanted {wanted}, found {found}")]
    Value { key: String, wanted: &'static str, found: Value },
    #[error("{key} is missing: wanted {wanted}")]
    Missing { key: &'static str, wanted: &'static str },
    #[error("target_modules: {pattern:?} is no regular expression")]
    Pattern {
        pattern: String,
        #[source]
        source: Box<regex::Error>,
    },
}

/// What Weft needs of an adapter's configuration.
#[derive(Clone, Debug)]
pub struct LoraConfig {
    /// The model it was trained for: a hub id or a folder.
    pub base_model: Option<String>,
    pub r: usize,
    pub alpha: f64,
    pub dropout: f32,
    pub target_modules: TargetModules,
    pub use_rslora: bool,
}

/// Features that change the result, where their value is not one of the harmless ones.
///
/// The words say what the key may be.
const REFUSED: [(&str, &str); 20] = [
    ("alora_invocation_tokens", "null"),
    ("alpha_pattern", "{}: one alpha for all layers"),
    ("arrow_config", "null"),
    ("bias", "\"none\": biases that do not learn"),
    ("enable_lora", "null: `weft adapter import` reads the weights of PEFT's MergedLinear of 2023"),
    ("exclude_modules", "null"),
    ("fan_in_fan_out", "false: weights as [out, in]"),
    ("kasa_config", "null"),
    ("layer_replication", "null"),
    ("layers_to_transform", "null: adapters in every layer"),
    ("lora_bias", "false"),
    ("modules_to_save", "null: nothing but adapters"),
    ("monteclora_config", "null"),
    ("rank_pattern", "{}: one rank for all layers"),
    ("target_parameters", "null"),
    ("trainable_token_indices", "null"),
    ("use_bdlora", "null"),
    ("use_dora", "false: plain LoRA"),
    ("use_qalora", "false"),
    ("velora_config", "null"),
];

/// Keys that say nothing about the result.
const IGNORED: [&str; 18] = [
    "auto_mapping",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "inference_mode",
    "layers_pattern",
    "loftq_config",
    "lora_ga_config",
    "megatron_config",
    "megatron_core",
    "merge_weights",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
    "task_type",
    "alora_offsets",
    "base_model_class",
];

/// First weights that leave the base model as it is. The others ("pissa", "olora", …) change it.
const HARMLESS_FIRST_WEIGHTS: [&str; 4] = ["gaussian", "eva", "orthogonal", "mica"];

impl LoraConfig {
    /// The configuration of a fresh adapter for the model `base`.
    pub fn new(options: &LoraOptions, base: &Path) -> Self {
        let base = base.to_string_lossy();
        // PEFT knows "all-linear" by its own rules, which need a model of transformers: names are safe.
        let names = Target::from_names(&options.target_modules).map_or_else(
            |_| options.target_modules.clone(),
            |targets| targets.iter().map(|it| it.name().to_owned()).collect(),
        );
        Self {
            base_model: (!base.is_empty()).then(|| base.into_owned()),
            r: options.r,
            alpha: options.alpha,
            dropout: options.dropout,
            target_modules: TargetModules::Names(names),
            use_rslora: options.use_rslora,
        }
    }

    /// Reads the bytes of an `adapter_config.json`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ConfigError> {
        let mut keys: Map<String, Value> = serde_json::from_slice(bytes)?;
        let mut take = |key: &'static str| keys.remove(key).filter(|value| !value.is_null());

        match take("peft_type") {
            None => return Err(ConfigError::Missing { key: "peft_type", wanted: "\"LORA\"" }),
            Some(Value::String(name)) if name == "LORA" => {}
            Some(found) => return Err(refuse("peft_type", "\"LORA\"", found)),
        }
        let Some(target_modules) = take("target_modules") else {
            let wanted = "a list of linear layers, a pattern or \"all-linear\"";
            return Err(ConfigError::Missing { key: "target_modules", wanted });
        };
        // What is left out has PEFT's default.
        let config = Self {
            base_model: text("base_model_name_or_path", take("base_model_name_or_path"))?,
            r: rank(take("r").unwrap_or(json!(8)))?,
            alpha: number("lora_alpha", take("lora_alpha").unwrap_or(json!(8)))?,
            dropout: dropout(take("lora_dropout").unwrap_or(json!(0.0)))?,
            target_modules: targets(target_modules)?,
            use_rslora: flag("use_rslora", take("use_rslora").unwrap_or(json!(false)))?,
        };
        match take("init_lora_weights") {
            None | Some(Value::Bool(_)) => {}
            Some(Value::String(name)) if HARMLESS_FIRST_WEIGHTS.contains(&name.as_str()) => {}
            Some(found) => {
                let wanted = "first weights that leave the base model as it is, such as true";
                return Err(refuse("init_lora_weights", wanted, found));
            }
        }
        for (key, wanted) in REFUSED {
            match take(key) {
                Some(found) if !is_nothing(&found) => return Err(refuse(key, wanted, found)),
                _ => {}
            }
        }
        for key in keys.keys().filter(|key| !IGNORED.contains(&key.as_str())) {
            tracing::warn!("adapter_config.json: {key} is not known and left out");
        }
        Ok(config)
    }

    /// The text of an `adapter_config.json`, as PEFT writes it for inference.
    pub fn to_json(&self) -> String {
        let target_modules = match &self.target_modules {
            TargetModules::Names(names) => json!(names),
            TargetModules::Pattern { text, .. } => json!(text),
            TargetModules::AllLinear => json!("all-linear"),
        };
        // PEFT has lora_alpha as a whole number, and takes others.
        let whole = self.alpha.fract() == 0.0 && self.alpha.abs() < 1e15;
        let alpha = if whole { json!(self.alpha as i64) } else { json!(self.alpha) };
        let config = json!({
            "alpha_pattern": {},
            "auto_mapping": null,
            "base_model_name_or_path": self.base_model,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "layers_pattern": null,
            "layers_to_transform": null,
            "lora_alpha": alpha,
            "lora_dropout": json!(shortest(self.dropout)),
            "modules_to_save": null,
            "peft_type": "LORA",
            "r": self.r,
            "rank_pattern": {},
            "revision": null,
            "target_modules": target_modules,
            "task_type": "CAUSAL_LM",
            "use_dora": false,
            "use_rslora": self.use_rslora,
        });
        format!("{config:#}\n")
    }
}

fn refuse(key: &str, wanted: &'static str, found: Value) -> ConfigError {
    ConfigError::Value { key: key.to_owned(), wanted, found }
}

/// Whether a value switches a feature off.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "none",
        Value::Array(items) => items.is_empty(),
        Value::Object(keys) => keys.is_empty(),
        _ => false,
    }
}

fn text(key: &str, value: Option<Value>) -> Result<Option<String>, ConfigError> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok((!text.is_empty()).then_some(text)),
        Some(found) => Err(refuse(key, "a text", found)),
    }
}

fn flag(key: &str, value: Value) -> Result<bool, ConfigError> {
    value.as_bool().ok_or_else(|| refuse(key, "true or false", value))
}

fn rank(value: Value) -> Result<usize, ConfigError> {
    let rank = value.as_u64().filter(|&rank| rank > 0 && rank <= 1 << 16);
    rank.map(|rank| rank as usize)
        .ok_or_else(|| refuse("r", "a whole number from 1 to 65536", value))
}

fn number(key: &str, value: Value) -> Result<f64, ConfigError> {
    value.as_f64().filter(|it| it.is_finite()).ok_or_else(|| refuse(key, "a number", value))
}

fn dropout(value: Value) -> Result<f32, ConfigError> {
    let share = value.as_f64().map(|share| share as f32).filter(|it| (0.0..1.0).contains(it));
    share.ok_or_else(|| refuse("lora_dropout", "a number from 0 to below 1", value))
}

/// The f64 that is written with as few digits as the f32: 0.1, and not 0.10000000149011612.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

fn targets(value: Value) -> Result<TargetModules, ConfigError> {
    let wanted = "a list of linear layers, a pattern or \"all-linear\"";
    match &value {
        Value::String(text) => TargetModules::from_text(text).map_err(|source| {
            ConfigError::Pattern { pattern: text.clone(), source: Box::new(source) }
        }),
        Value::Array(items) if !items.is_empty() => {
            let names = items.iter().map(|it| it.as_str().map(str::to_owned));
            match names.collect::<Option<Vec<_>>>() {
                Some(names) => Ok(TargetModules::Names(names)),
                None => Err(refuse("target_modules", wanted, value)),
            }
        }
        _ => Err(refuse("target_modules", wanted, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for use_rslora in [false, true] {
            let options = LoraOptions { r: 4, alpha: 2.5, use_rslora, ..Default::default() };
            let written = LoraConfig::new(&options, Path::new("THUDM/chatglm-6b")).to_json();

            let read = LoraConfig::from_json(written.as_bytes()).unwrap();

            assert_eq!(read.base_model.as_deref(), Some("THUDM/chatglm-6b"));
            assert_eq!(
                (read.r, read.alpha, read.dropout, read.use_rslora),
                (4, 2.5, 0.1, use_rslora)
            );
            assert_eq!(read.to_json(), written);
            assert!(written.contains("\"lora_dropout\": 0.1,"), "{written}");
        }
    }

    #[test]
    fn what_is_left_out_has_pefts_default() {
        let read =
            read(r#"{"peft_type": "LORA", "target_modules": ["dense"], "news": 1}"#).unwrap();

        assert_eq!((read.r, read.alpha, read.dropout, read.use_rslora), (8, 8.0, 0.0, false));
        assert_eq!(read.base_model, None);
    }

    #[test]
    fn what_would_change_the_result_is_refused_in_plain_words() {
        for (key, value) in [
            ("use_dora", "true"),
            ("bias", "\"all\""),
            ("modules_to_save", "[\"lm_head\"]"),
            ("fan_in_fan_out", "true"),
            ("rank_pattern", "{\"dense\":4}"),
            ("alpha_pattern", "{\"dense\":4}"),
            ("layers_to_transform", "[0,1]"),
            ("layers_to_transform", "0"),
            ("init_lora_weights", "\"pissa\""),
            ("enable_lora", "[true,false,true]"),
            ("r", "0"),
            ("lora_dropout", "1.0"),
            ("lora_alpha", "\"32\""),
            ("target_modules", "[]"),
            ("target_modules", "[1]"),
            ("use_rslora", "1"),
        ] {
            let error = read(&with(key, value)).unwrap_err().to_string();

            assert!(error.starts_with(&format!("{key}: wanted ")), "{error}");
            assert!(error.ends_with(&format!("found {value}")), "{error}");
        }
    }

    #[test]
    fn other_kinds_of_adapters_are_refused() {
        let error = |text: &str| read(text).unwrap_err().to_string();

        assert_eq!(
            error(r#"{"peft_type": "PREFIX_TUNING"}"#),
            "peft_type: wanted \"LORA\", found \"PREFIX_TUNING\""
        );
        assert_eq!(error("{}"), "peft_type is missing: wanted \"LORA\"");
        assert!(error(r#"{"peft_type": "LORA"}"#).starts_with("target_modules is missing"));
        assert!(error(&with("target_modules", "\"(\"")).contains("no regular expression"));
        assert_eq!(error("[]"), "it is no JSON");
    }

    fn read(text: &str) -> Result<LoraConfig, ConfigError> {
        LoraConfig::from_json(text.as_bytes())
    }

    /// A usable configuration with one more, or another, value.
    fn with(key: &str, value: &str) -> String {
        let mut config = json!({"peft_type": "LORA", "target_modules": ["query_key_value"]});
        config[key] = serde_json::from_str(value).unwrap();
        config.to_string()
    }
}
