//! `config.json` as it is published, and what the published code takes where it says nothing.

use serde::Deserialize;
use serde_json::Value;
use weft_shared::tokenizer::SpecialIds;

use super::{ChatGlmConfig, ConfigError, ModelRevision, unusable};
use crate::ops::Quantization;

#[derive(Debug, Deserialize)]
pub(super) struct ConfigFile {
    model_type: Option<String>,
    /// This and the next: only in the files of later models.
    padded_vocab_size: Option<Value>,
    multi_query_attention: Option<Value>,
    quantization_bit: Option<u32>,
    pre_seq_len: Option<usize>,
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    inner_hidden_size: Option<usize>,
    num_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    layernorm_epsilon: Option<f64>,
    max_sequence_length: Option<usize>,
    position_encoding_2d: Option<bool>,
    bos_token_id: Option<u32>,
    eos_token_id: Option<u32>,
    pad_token_id: Option<u32>,
    mask_token_id: Option<u32>,
    gmask_token_id: Option<u32>,
}

impl ConfigFile {
    pub(super) fn into_config(self) -> Result<ChatGlmConfig, ConfigError> {
        self.refuse_other_models()?;
        let revision = match self.gmask_token_id {
            Some(_) => ModelRevision::Main,
            None => ModelRevision::V096f3de,
        };
        let vocab_size = required("vocab_size", self.vocab_size)?;
        Ok(ChatGlmConfig {
            vocab_size,
            hidden_size: required("hidden_size", self.hidden_size)?,
            inner_hidden_size: required("inner_hidden_size", self.inner_hidden_size)?,
            num_layers: required("num_layers", self.num_layers)?,
            num_attention_heads: required("num_attention_heads", self.num_attention_heads)?,
            layernorm_epsilon: self.layernorm_epsilon.unwrap_or(1e-5),
            max_sequence_length: self.max_sequence_length.unwrap_or(2048),
            position_encoding_2d: self.position_encoding_2d.unwrap_or(true),
            special_ids: self.special_ids(revision.special_ids(), vocab_size)?,
            revision,
            quantization: match self.quantization_bit {
                None | Some(0) => None,
                Some(4) => Some(Quantization::Int4),
                Some(8) => Some(Quantization::Int8),
                Some(bits) => return Err(ConfigError::Quantized { bits }),
            },
        })
    }

    /// The ids that the file names, which must be rows of the embedding, or else those that the code names.
    fn special_ids(&self, code: SpecialIds, rows: usize) -> Result<SpecialIds, ConfigError> {
        let id = |field, named: Option<u32>, code| match named {
            Some(id) if id as usize >= rows => {
                Err(unusable(field, format!("a row of the {rows} of the embedding"), id))
            }
            named => Ok(named.unwrap_or(code)),
        };
        Ok(SpecialIds {
            mask: id("mask_token_id", self.mask_token_id, code.mask)?,
            gmask: id("gmask_token_id", self.gmask_token_id, code.gmask)?,
            sop: id("bos_token_id", self.bos_token_id, code.sop)?,
            eop: id("eos_token_id", self.eos_token_id, code.eop)?,
            pad: id("pad_token_id", self.pad_token_id, code.pad)?,
        })
    }

    fn refuse_other_models(&self) -> Result<(), ConfigError> {
        if let Some(found) = self.model_type.as_ref().filter(|it| *it != "chatglm") {
            return Err(unusable("model_type", "\"chatglm\"", format!("{found:?}")));
        }
        if self.padded_vocab_size.is_some() {
            return Err(ConfigError::LaterChatGlm { field: "padded_vocab_size" });
        }
        if self.multi_query_attention.is_some() {
            return Err(ConfigError::LaterChatGlm { field: "multi_query_attention" });
        }
        match self.pre_seq_len.filter(|length| *length != 0) {
            Some(length) => Err(ConfigError::Prefix { length }),
            None => Ok(()),
        }
    }
}

fn required<T>(field: &'static str, value: Option<T>) -> Result<T, ConfigError> {
    value.ok_or(ConfigError::Missing { field })
}
