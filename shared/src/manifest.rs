//! All that a run was made of, in one file: whoever has it and the model can make the run again.

use serde::{Deserialize, Serialize};

use crate::{pair::Pair, prompt::PromptForm, sample::SampleOptions, training::TrainingOptions};

/// The form's version; raised when a field changes its meaning.
pub const MANIFEST_FORM: u32 = 1;

/// What `weft train --manifest FILE` replays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Manifest {
    /// [`MANIFEST_FORM`]
    pub manifest: u32,
    pub weft_version: String,
    pub created_ms: u64,
    pub model: ManifestModel,
    pub dataset: ManifestDataset,
    /// Pairs that the model can answer already, and is not to forget; without any it may.
    #[serde(default)]
    pub rehearsal: Vec<Pair>,
    pub encoding: SampleOptions,
    /// How questions without history are put; each pair is trained once in each of the forms.
    #[serde(default = "training_form")]
    pub prompt_forms: Vec<PromptForm>,
    /// Seeds included.
    pub options: TrainingOptions,
    /// The adapter whose weights the run started from, where it did not start from fresh ones.
    pub start_from: Option<ManifestAdapter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManifestModel {
    /// A folder, a hub id, or `embedded`.
    pub name: String,
    /// Digest of configuration and vocabulary.
    pub fingerprint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManifestDataset {
    pub name: String,
    /// Counted from 1; 0 of a file.
    pub version: u32,
    /// Of the encoded pairs (`DatasetDigest`).
    pub digest: String,
    pub pairs: Vec<Pair>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManifestAdapter {
    pub name: String,
    /// SHA-256 of its `adapter_model.safetensors`.
    pub digest: String,
}

fn training_form() -> Vec<PromptForm> {
    vec![PromptForm::Training]
}
