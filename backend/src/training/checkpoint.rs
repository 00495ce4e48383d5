//! A run's state on disk: `checkpoint-STEP/`, written whole or not at all.
//!
//! It holds everything the next step depends on: the weights that learn, the optimizer's moments, the step (from
//! which data order and dropout follow: both are functions of seed and step), the log, and what the run was asked
//! to do with which data, so that it cannot be continued with another.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use candle_core::{Device, Tensor, safetensors};
use serde::{Deserialize, Serialize};
use weft_shared::training::TrainingOptions;

use super::{AdamW, Trainee, TrainerState};
use crate::{
    atomic::{self, WriteError},
    lora::AdapterError,
    ops::{LossScale, Progress},
};

const PREFIX: &str = "checkpoint-";
const STATE: &str = "trainer_state.json";
const IDENTITY: &str = "run.json";
const OPTIMIZER: &str = "optimizer.safetensors";

/// What a run was asked to do, and with what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    pub options: TrainingOptions,
    /// Digest of the encoded dataset.
    pub dataset_digest: String,
    /// Digest of the pairs that are rehearsed; empty without any.
    #[serde(default)]
    pub rehearsal_digest: String,
    /// Digest of the model's configuration and vocabulary.
    pub model_fingerprint: String,
    /// Version of the program.
    pub weft_version: String,
}

/// A checkpoint that cannot be written, read, or continued.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("the checkpoint of step {step} could not be written; {newest}")]
    Write {
        step: usize,
        newest: Kept,
        #[source]
        source: WriteError,
    },
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    File(#[from] WriteError),
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is not a checkpoint of this program: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("{path}: the tensor {name} has shape {found:?}, wanted {wanted:?}")]
    Shape { path: PathBuf, name: String, wanted: Vec<usize>, found: Vec<usize> },
    #[error("{path}: the tensor {name} is missing")]
    MissingTensor { path: PathBuf, name: String },
    #[error("{path} belongs to another run: its {what} was {found}, now it is {wanted}")]
    OtherRun { path: PathBuf, what: &'static str, wanted: String, found: String },
    #[error("{0} holds no checkpoint to resume from")]
    Nothing(PathBuf),
    #[error("{0} holds checkpoints already: resume them (--resume) or choose another folder")]
    Occupied(PathBuf),
    #[error("the weights could not be copied")]
    Compute(#[from] candle_core::Error),
}

/// What a failed write leaves to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept(pub Option<PathBuf>);

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(path) => write!(f, "{} is complete and can be resumed", path.display()),
            None => write!(f, "there is no earlier one"),
        }
    }
}

/// A complete checkpoint on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub path: PathBuf,
    pub step: usize,
}

impl Checkpoint {
    /// All complete checkpoints in a run's output folder, oldest first.
    pub fn list(output: &Path) -> Result<Vec<Self>, CheckpointError> {
        let read = |source| CheckpointError::Read { path: output.to_owned(), source };
        let mut found = Vec::new();
        for entry in fs::read_dir(output).map_err(read)? {
            let entry = entry.map_err(read)?;
            let name = entry.file_name();
            let step = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
            if let Some(step) = step {
                found.push(Self { path: entry.path(), step });
            }
        }
        found.sort_by_key(|it| it.step);
        Ok(found)
    }

    /// Writes the state after a step.
    pub fn write(
        output: &Path,
        trainee: &Trainee,
        optimizer: &AdamW,
        state: &TrainerState,
        identity: &RunIdentity,
    ) -> Result<Self, CheckpointError> {
        let step = state.global_step;
        let path = output.join(format!("{PREFIX}{step}"));
        let written = atomic::write_dir(&path, |dir| {
            trainee.save(dir)?;
            save_optimizer(&dir.join(OPTIMIZER), trainee, optimizer)?;
            write_json(&dir.join(IDENTITY), identity)?;
            write_json(&dir.join(STATE), state)
        });
        match written {
            Ok(()) => {}
            Err(
                CheckpointError::File(source)
                | CheckpointError::Adapter(AdapterError::Write(source)),
            ) => {
                let newest = Kept(Self::list(output)?.pop().map(|it| it.path));
                return Err(CheckpointError::Write { step, newest, source });
            }
            Err(error) => return Err(error),
        }
        Ok(Self { path, step })
    }

    /// Removes the oldest beyond `keep`; 0 keeps all.
    pub(super) fn keep_newest(output: &Path, keep: usize) -> Result<(), CheckpointError> {
        let all = Self::list(output)?;
        let surplus = if keep == 0 { 0 } else { all.len().saturating_sub(keep) };
        all[..surplus].iter().try_for_each(Self::remove)
    }

    pub(super) fn remove(&self) -> Result<(), CheckpointError> {
        fs::remove_dir_all(&self.path)
            .map_err(|source| CheckpointError::Read { path: self.path.clone(), source })
    }

    /// Puts trainee and optimizer where the checkpoint's step left them; gives the log.
    pub fn restore(
        &self,
        trainee: &Trainee,
        optimizer: &mut AdamW,
        identity: &RunIdentity,
    ) -> Result<TrainerState, CheckpointError> {
        let saved: RunIdentity = read_json(&self.path.join(IDENTITY))?;
        self.check_same_run(&saved, identity)?;
        let state: TrainerState = read_json(&self.path.join(STATE))?;

        let weights =
            Tensors::open(self.path.join(trainee.weights_file()), trainee.model.device())?;
        let moments = Tensors::open(self.path.join(OPTIMIZER), trainee.model.device())?;
        for ((name, weight), (first, second)) in
            trainee.parameters.iter().zip(&mut optimizer.moments)
        {
            weight.set(weights.get(name, weight.dims())?)?;
            *first = moments.get(&format!("{name}.exp_avg"), weight.dims())?.copy()?;
            *second = moments.get(&format!("{name}.exp_avg_sq"), weight.dims())?.copy()?;
        }
        let fresh = LossScale::for_weights(trainee.model.dtype());
        optimizer.resume(Progress {
            updates: state.weft.updates.unwrap_or(state.global_step as u32),
            ..Progress::new(state.weft.loss_scale.unwrap_or(fresh))
        })?;
        Ok(state)
    }

    fn check_same_run(
        &self,
        found: &RunIdentity,
        wanted: &RunIdentity,
    ) -> Result<(), CheckpointError> {
        let same = |what, wanted: String, found: String| {
            if wanted == found {
                return Ok(());
            }
            Err(CheckpointError::OtherRun { path: self.path.clone(), what, wanted, found })
        };
        same("dataset digest", wanted.dataset_digest.clone(), found.dataset_digest.clone())?;
        same("model", wanted.model_fingerprint.clone(), found.model_fingerprint.clone())?;
        let (wanted, found) = (&wanted.options, &found.options);
        same("method", format!("{:?}", wanted.method), format!("{:?}", found.method))?;
        same("adapter", format!("{:?}", wanted.lora), format!("{:?}", found.lora))?;
        let order = |options: &TrainingOptions| {
            let TrainingOptions {
                batch_size, gradient_accumulation_steps, seed, data_seed, ..
            } = options;
            let TrainingOptions { group_by_length, eval_share, .. } = options;
            format!(
                "batch_size {batch_size}, gradient_accumulation_steps {gradient_accumulation_steps}, seed {seed}, \
                 data_seed {data_seed}, group_by_length {group_by_length}, eval_share {eval_share}"
            )
        };
        same("data order", order(wanted), order(found))
    }
}

/// `NAME.exp_avg` and `NAME.exp_avg_sq` of each parameter.
fn save_optimizer(
    path: &Path,
    trainee: &Trainee,
    optimizer: &AdamW,
) -> Result<(), CheckpointError> {
    let mut tensors = Vec::new();
    for ((name, _), (first, second)) in trainee.parameters.iter().zip(&optimizer.moments) {
        tensors.push((format!("{name}.exp_avg"), first.clone()));
        tensors.push((format!("{name}.exp_avg_sq"), second.clone()));
    }
    save_tensors(path, tensors)
}

/// Writes a safetensors file whose write errors name it.
pub(super) fn save_tensors(
    path: &Path,
    tensors: Vec<(String, Tensor)>,
) -> Result<(), CheckpointError> {
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = ::safetensors::serialize(tensors, Some(metadata)).map_err(|error| {
        CheckpointError::Damaged { path: path.to_owned(), reason: error.to_string() }
    })?;
    Ok(atomic::write_file(path, &bytes)?)
}

pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), CheckpointError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| CheckpointError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(atomic::write_file(path, &bytes)?)
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, CheckpointError> {
    let bytes =
        fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
    serde_json::from_slice(&bytes).map_err(|error| CheckpointError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// The tensors of a safetensors file, with errors that name it.
struct Tensors {
    path: PathBuf,
    tensors: HashMap<String, Tensor>,
}

impl Tensors {
    fn open(path: PathBuf, device: &Device) -> Result<Self, CheckpointError> {
        let bytes = fs::read(&path)
            .map_err(|source| CheckpointError::Read { path: path.clone(), source })?;
        match safetensors::load_buffer(&bytes, device) {
            Ok(tensors) => Ok(Self { path, tensors }),
            Err(error) => Err(CheckpointError::Damaged { path, reason: error.to_string() }),
        }
    }

    fn get(&self, name: &str, wanted: &[usize]) -> Result<&Tensor, CheckpointError> {
        let (path, name) = (self.path.clone(), name.to_owned());
        match self.tensors.get(&name) {
            None => Err(CheckpointError::MissingTensor { path, name }),
            Some(tensor) if tensor.dims() != wanted => Err(CheckpointError::Shape {
                path,
                name,
                wanted: wanted.to_vec(),
                found: tensor.dims().to_vec(),
            }),
            Some(tensor) => Ok(tensor),
        }
    }
}
