//! A run as its manifest describes it, held to the model, the pairs and the adapter that are at hand.
//!
//! The command line and the server make runs from manifests alone, so the same manifest is the same run in both.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use candle_core::Device;
use sha2::{Digest as _, Sha256};
use weft_shared::{
    manifest::{MANIFEST_FORM, Manifest, ManifestAdapter},
    pair::Pair,
    tokenizer::ChatGlmTokenizer,
};

use crate::{
    chatglm::ChatGlmConfig,
    lora::{Adapter, AdapterError, AdapterFile, Target, UnknownTarget},
    training::RunIdentity,
    training_set::{TrainingSet, TrainingSetError},
};

/// Why a manifest's run cannot be made here.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("cannot read {path}")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is no manifest of a run")]
    NoManifest {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the manifest has the form {found}, and this program reads {MANIFEST_FORM}")]
    OtherForm { found: u32 },
    #[error("the run was made for the model {wanted}, and this one is {found}")]
    OtherModel { wanted: String, found: String },
    #[error(
        "the run's pairs encode to {found}, not to {wanted} as when it was made: program or pairs are others"
    )]
    OtherData { wanted: String, found: String },
    #[error("the run starts from the adapter {name}: give its folder with --adapter")]
    NoAdapter { name: String },
    #[error("the run starts from fresh weights, and an adapter was given")]
    NeedsNoAdapter,
    #[error(
        "the run starts from the adapter {name} with the digest {wanted}, and this one has {found}"
    )]
    OtherAdapter { name: String, wanted: String, found: String },
    #[error(transparent)]
    Set(#[from] TrainingSetError),
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    Target(#[from] UnknownTarget),
    #[error("the adapter could not be made")]
    Compute(#[from] candle_core::Error),
}

/// Reads a manifest's file.
pub fn read(path: &Path) -> Result<Manifest, ManifestError> {
    let bytes = fs::read(path)
        .map_err(|source| ManifestError::Unreadable { path: path.to_owned(), source })?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|source| ManifestError::NoManifest { path: path.to_owned(), source })?;
    match manifest.manifest {
        MANIFEST_FORM => Ok(manifest),
        found => Err(ManifestError::OtherForm { found }),
    }
}

/// The pairs of the manifest, if model and encoded pairs are those that it was made for.
pub fn training_set(
    manifest: &Manifest,
    model_fingerprint: &str,
    tokenizer: &ChatGlmTokenizer,
) -> Result<TrainingSet, ManifestError> {
    let Manifest { model, dataset, prompt_forms, encoding, options, .. } = manifest;
    if model.fingerprint != model_fingerprint {
        let (wanted, found) = (model.fingerprint.clone(), model_fingerprint.to_owned());
        return Err(ManifestError::OtherModel { wanted, found });
    }
    let set = TrainingSet::encode(&dataset.pairs, prompt_forms, tokenizer, encoding, options)?;
    let found = set.digest.to_string();
    if dataset.digest != found {
        return Err(ManifestError::OtherData { wanted: dataset.digest.clone(), found });
    }
    Ok(set.rehearsing(&manifest.rehearsal, tokenizer, encoding)?)
}

/// The adapter that the run starts from: fresh, or the one in the folder `start`.
pub fn first_adapter(
    manifest: &Manifest,
    start: Option<&Path>,
    config: &ChatGlmConfig,
    device: &Device,
) -> Result<Adapter, ManifestError> {
    match (&manifest.start_from, start) {
        (None, None) => {
            let (lora, seed) = (manifest.options.lora.clone(), manifest.options.seed);
            let targets = Target::from_names(&lora.target_modules)?;
            Ok(Adapter::initialize(lora, &targets, config, seed, device)?)
        }
        (Some(wanted), Some(start)) => {
            let (adapter, found) = read_adapter(start, config, device)?;
            if wanted.digest != found {
                let (name, wanted) = (wanted.name.clone(), wanted.digest.clone());
                return Err(ManifestError::OtherAdapter { name, wanted, found });
            }
            Ok(adapter)
        }
        (Some(wanted), None) => Err(ManifestError::NoAdapter { name: wanted.name.clone() }),
        (None, Some(_)) => Err(ManifestError::NeedsNoAdapter),
    }
}

/// Makes the run start from the adapter in `dir`, whose shape then takes the place of the options'.
pub fn start_from(
    manifest: &mut Manifest,
    name: &str,
    dir: &Path,
    config: &ChatGlmConfig,
) -> Result<(), ManifestError> {
    let (adapter, digest) = read_adapter(dir, config, &Device::Cpu)?;
    manifest.options.lora = adapter.options().clone();
    manifest.start_from = Some(ManifestAdapter { name: name.to_owned(), digest });
    Ok(())
}

/// What the run's checkpoints say of it.
pub fn identity(manifest: &Manifest) -> RunIdentity {
    RunIdentity {
        options: manifest.options.clone(),
        dataset_digest: manifest.dataset.digest.clone(),
        rehearsal_digest: digest_of(&manifest.rehearsal),
        model_fingerprint: manifest.model.fingerprint.clone(),
        weft_version: manifest.weft_version.clone(),
    }
}

/// Empty for no pairs.
fn digest_of(pairs: &[Pair]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    format!("{:x}", Sha256::digest(serde_json::to_vec(pairs).unwrap_or_default()))
}

/// An adapter, and the digest of its weights' file.
fn read_adapter(
    dir: &Path,
    config: &ChatGlmConfig,
    device: &Device,
) -> Result<(Adapter, String), ManifestError> {
    let file = AdapterFile::read(dir)?;
    let path = file.path();
    let bytes = fs::read(path)
        .map_err(|source| ManifestError::Unreadable { path: path.to_owned(), source })?;
    Ok((file.adapter(config, device)?, format!("{:x}", Sha256::digest(&bytes))))
}
