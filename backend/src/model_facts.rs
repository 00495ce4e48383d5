//! What can be said of a model folder: from `config.json` alone, and more where vocabulary and weights are there.

mod embedding;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    causes::with_causes,
    chatglm::{ChatGlmConfig, ParameterCount, module_tree, parameters},
    checkpoint::{Checkpoint, CheckpointError, CheckpointForm},
    lora::Target,
    model_dir::{ModelDir, ModelDirError},
};

/// All that `weft model show` says.
#[derive(Debug, Serialize)]
pub struct ModelFacts {
    pub revision: &'static str,
    /// The modules, as PyTorch prints them.
    pub modules: String,
    pub hidden_size: usize,
    pub inner_hidden_size: usize,
    pub num_layers: usize,
    pub num_attention_heads: usize,
    pub vocab_size: usize,
    pub max_sequence_length: usize,
    pub position_encoding_2d: bool,
    pub special_ids: Ids,
    pub parameters: u64,
    pub lora: LoraFacts,
    /// Why the embedding has as many rows as it has.
    pub embedding: String,
    pub tokenizer: Option<TokenizerFacts>,
    pub weights: Option<WeightFacts>,
    /// What is there but cannot be used, and why.
    pub problems: Vec<String>,
}

/// Ids by the names of the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ids {
    pub mask: u32,
    pub gmask: u32,
    pub sop: u32,
    pub eop: u32,
    pub pad: u32,
}

#[derive(Debug, Serialize)]
pub struct LoraFacts {
    pub r: usize,
    pub target_modules: Vec<&'static str>,
    pub trainable: u64,
    /// With those of the model.
    pub total: u64,
    pub percent: f64,
}

#[derive(Debug, Serialize)]
pub struct TokenizerFacts {
    pub tokens: usize,
    pub special_ids: Ids,
}

#[derive(Debug, Serialize)]
pub struct WeightFacts {
    pub form: &'static str,
    pub files: Vec<String>,
    /// What the model's tensors are kept in.
    pub dtypes: Vec<String>,
    pub size_bytes: u64,
    /// Tensors of the model that are not there, or in another shape.
    pub unusable: Vec<String>,
}

impl ModelFacts {
    /// Looks at the model in `dir`, and at what an adapter of rank `r` on `targets` would add.
    pub fn of(dir: &ModelDir, r: usize, targets: &[Target]) -> Self {
        let config = dir.config();
        let lora = ParameterCount::with_lora(config, r, targets);
        let mut problems = Vec::new();
        let tokenizer = tokenizer(dir).unwrap_or_else(|error| {
            problems.push(with_causes(&error));
            None
        });
        let weights = weights(dir).unwrap_or_else(|error| {
            problems.push(with_causes(&error));
            None
        });
        let ids = config.special_ids;
        Self {
            revision: config.revision.name(),
            modules: module_tree(config),
            hidden_size: config.hidden_size,
            inner_hidden_size: config.inner_hidden_size,
            num_layers: config.num_layers,
            num_attention_heads: config.num_attention_heads,
            vocab_size: config.vocab_size,
            max_sequence_length: config.max_sequence_length,
            position_encoding_2d: config.position_encoding_2d,
            special_ids: ids.into(),
            parameters: ParameterCount::of_model(config).total,
            lora: LoraFacts {
                r,
                target_modules: targets.iter().map(|it| it.name()).collect(),
                trainable: lora.trainable,
                total: lora.total,
                percent: lora.percent(),
            },
            embedding: embedding::why(config, tokenizer.as_ref().map(|it| it.tokens)),
            tokenizer,
            weights,
            problems,
        }
    }
}

impl From<weft_shared::tokenizer::SpecialIds> for Ids {
    fn from(ids: weft_shared::tokenizer::SpecialIds) -> Self {
        Self { mask: ids.mask, gmask: ids.gmask, sop: ids.sop, eop: ids.eop, pad: ids.pad }
    }
}

fn tokenizer(dir: &ModelDir) -> Result<Option<TokenizerFacts>, ModelDirError> {
    if !dir.path().join("ice_text.model").exists() {
        return Ok(None);
    }
    let tokenizer = dir.tokenizer()?;
    let (tokens, special_ids) = (tokenizer.vocab_size(), tokenizer.special_ids().into());
    Ok(Some(TokenizerFacts { tokens, special_ids }))
}

fn weights(dir: &ModelDir) -> Result<Option<WeightFacts>, CheckpointError> {
    let checkpoint = match Checkpoint::open(dir.path()) {
        Err(CheckpointError::NoWeights { .. }) => return Ok(None),
        opened => opened?,
    };
    let name = |file: &std::path::Path| {
        file.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let form = match checkpoint.form() {
        CheckpointForm::Safetensors => "safetensors",
        CheckpointForm::Torch => "torch",
    };
    let (dtypes, unusable) = tensors(&checkpoint, dir.config());
    let files = checkpoint.files().map(name).collect();
    Ok(Some(WeightFacts { form, files, dtypes, size_bytes: checkpoint.size_bytes(), unusable }))
}

/// What the model's tensors are kept in, and those that are missing or misshapen.
fn tensors(checkpoint: &Checkpoint, config: &ChatGlmConfig) -> (Vec<String>, Vec<String>) {
    let (mut dtypes, mut unusable) = (BTreeSet::new(), Vec::new());
    for (name, mut wanted) in parameters(config) {
        if let (Some(form), [_, columns], true) =
            (config.quantization, wanted.as_mut_slice(), name.contains(".layers."))
        {
            *columns = *columns * form.bits() / 8;
        }
        match checkpoint.get(&name) {
            None => unusable.push(format!("{name} is missing")),
            Some(info) if info.shape != wanted => {
                let found = info.shape;
                unusable.push(format!("{name} has the shape {found:?}, wanted {wanted:?}"));
            }
            Some(info) => {
                dtypes.insert(info.element.to_string());
            }
        }
    }
    (dtypes.into_iter().collect(), unusable)
}

#[cfg(test)]
mod tests;
