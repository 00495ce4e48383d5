//! Sizes and ids of a model, from its `config.json`.

mod file;

use weft_shared::tokenizer::SpecialIds;

use crate::ops::Quantization;

use self::file::ConfigFile;

/// What a ChatGLM-6B is, as far as its `config.json` says.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatGlmConfig {
    /// Rows of the embedding: one for each token, and some behind them that no token names.
    pub vocab_size: usize,
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub inner_hidden_size: usize,
    pub num_layers: usize,
    pub num_attention_heads: usize,
    pub layernorm_epsilon: f64,
    /// Most tokens of a sequence.
    pub max_sequence_length: usize,
    /// Whether each token has two positions: in the text, and in the answer.
    pub position_encoding_2d: bool,
    pub special_ids: SpecialIds,
    pub revision: ModelRevision,
    /// How the matrices of the blocks are published, where they are in few bits.
    pub quantization: Option<Quantization>,
}

/// The published code that a model goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelRevision {
    /// The tutorial's: special ids from 150,000 on, those of the masks and of padding in the code alone.
    V096f3de,
    /// The last one: special ids from 130,000 on, all of them in the configuration.
    Main,
}

/// Why a `config.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("it is not JSON of the expected form: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} is {found}, wanted {wanted}")]
    Unusable { field: &'static str, wanted: String, found: String },
    #[error(
        "it is the configuration of a ChatGLM2, ChatGLM3 or GLM-4 ({field} is only in theirs): these are built \
         differently, and Weft knows ChatGLM-6B alone"
    )]
    LaterChatGlm { field: &'static str },
    #[error(
        "quantization_bit is {bits}, wanted 8, 4, 0 or none: take the model that this one was made from"
    )]
    Quantized { bits: u32 },
    #[error(
        "pre_seq_len is {length}, wanted 0 or none: the model expects a trained prefix (P-tuning), which Weft has \
         no part for"
    )]
    Prefix { length: usize },
}

impl ChatGlmConfig {
    /// Reads and checks the content of a `config.json`. Fields that Weft has no use for are ignored.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        let config = serde_json::from_slice::<ConfigFile>(json)?.into_config()?;
        config.check()?;
        Ok(config)
    }

    /// A model of these sizes, otherwise as published in `096f3de`.
    pub fn of_shape(
        num_layers: usize,
        hidden_size: usize,
        num_attention_heads: usize,
        vocab_size: usize,
    ) -> Self {
        Self {
            vocab_size,
            hidden_size,
            inner_hidden_size: 4 * hidden_size,
            num_layers,
            num_attention_heads,
            layernorm_epsilon: 1e-5,
            max_sequence_length: 2048,
            position_encoding_2d: true,
            special_ids: ModelRevision::V096f3de.special_ids(),
            revision: ModelRevision::V096f3de,
            quantization: None,
        }
    }

    /// Size of one attention head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Whether the model is of the last published revision.
    pub fn is_main(&self) -> bool {
        self.revision == ModelRevision::Main
    }

    fn check(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("inner_hidden_size", self.inner_hidden_size),
            ("num_layers", self.num_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("max_sequence_length", self.max_sequence_length),
        ];
        for (field, size) in sizes {
            // The largest published size is 150,528; products of three sizes within the bound fit in 64 bits.
            if !(1..=1 << 20).contains(&size) {
                return Err(unusable(field, "1 to 1,048,576", size));
            }
        }
        let (model, heads) = (self.hidden_size, self.num_attention_heads);
        if !model.is_multiple_of(heads) {
            return Err(unusable("hidden_size", format!("a multiple of the {heads} heads"), model));
        }
        // The rotary embedding turns pairs of elements: in each half of a head with 2-D positions, else in a whole one.
        let (step, why) = if self.position_encoding_2d {
            (4, "heads of a multiple of 4 elements, as 2-D positions turn pairs in both halves")
        } else {
            (2, "heads of an even number of elements, as positions turn pairs")
        };
        if !self.head_dim().is_multiple_of(step) {
            let found = format!("{model}, which makes heads of {}", self.head_dim());
            return Err(unusable("hidden_size", why, found));
        }
        if !(self.layernorm_epsilon > 0.0 && self.layernorm_epsilon < 1.0) {
            return Err(unusable(
                "layernorm_epsilon",
                "above 0 and below 1",
                self.layernorm_epsilon,
            ));
        }
        Ok(())
    }
}

impl ModelRevision {
    /// The ids that its published code and configuration name.
    pub fn special_ids(self) -> SpecialIds {
        match self {
            Self::V096f3de => SpecialIds {
                mask: 150_000,
                gmask: 150_001,
                sop: 150_004,
                eop: 150_005,
                pad: 20_003,
            },
            Self::Main => {
                SpecialIds { mask: 130_000, gmask: 130_001, sop: 130_004, eop: 130_005, pad: 3 }
            }
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::V096f3de => "096f3de",
            Self::Main => "main",
        }
    }
}

fn unusable(field: &'static str, wanted: impl Into<String>, found: impl ToString) -> ConfigError {
    ConfigError::Unusable { field, wanted: wanted.into(), found: found.to_string() }
}

#[cfg(test)]
mod tests;
