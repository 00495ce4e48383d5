//! The model that is served.

use serde::{Deserialize, Serialize};

use crate::{sample::SampleOptions, training::TrainingOptions};

/// The answer of `GET /api/model`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelInfo {
    /// The base's name in `POST /v1/chat/completions`; an adapter's is `NAME:ADAPTER`.
    pub name: String,
    /// Digest of configuration and vocabulary; a dataset preview, a run and an adapter carry it.
    pub fingerprint: String,
    /// Which published form it has: `096f3de` or `main`.
    pub revision: String,
    /// `cpu`, `cuda:0`, …
    pub device: String,
    /// What the weights are kept in, for example `f32`.
    pub dtype: String,
    pub parameters: u64,
    /// The modules, as PyTorch prints them.
    pub modules: String,
    pub hidden_size: usize,
    pub inner_hidden_size: usize,
    pub num_layers: usize,
    pub num_attention_heads: usize,
    pub vocab_size: usize,
    /// Tokens that the vocabulary names; the embedding may have more rows.
    pub tokens: usize,
    pub max_sequence_length: usize,
    /// What it can and cannot do, in Markdown; the embedded model has one.
    pub card: Option<String>,
    /// Pairs that it can answer and a run can rehearse, see `rehearsal_batch_size`.
    pub rehearsal_pairs: usize,
    /// What a run on this model starts from in the page.
    pub recommended: Recommended,
}

/// Options that suit a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recommended {
    pub encoding: SampleOptions,
    pub options: TrainingOptions,
}
