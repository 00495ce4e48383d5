//! Why a job was not started, changed, or finished.

use std::{io, path::PathBuf};

use weft_shared::{
    api::job::{CheckFinding, JobState},
    tokenizer::TokenizerError,
};

use crate::{
    atomic::WriteError,
    causes::with_causes,
    engine::EngineError,
    generation::GenerationError,
    lora::UnknownTarget,
    manifest::ManifestError,
    store::StoreError,
    training::{CheckpointError, RunError, TrainingError},
};

#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// The check found something; the job was not started.
    #[error("{}", in_words(.0))]
    Refused(Vec<CheckFinding>),
    #[error("the job {id} is {state:?}: only a cancelled or failed one can be resumed")]
    NotResumable { id: i64, state: JobState },
    /// A dry run's numbers were none any more.
    #[error(
        "the dry run diverged: loss and gradient norm must be finite, found {loss} and {grad_norm} at step {step} \
         with learning rate {learning_rate:e}"
    )]
    Diverged { step: usize, loss: f64, grad_norm: f64, learning_rate: f64 },
    #[error("the run panicked: {0}")]
    Panicked(String),
    #[error("cannot use the folder {path}")]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Training(#[from] TrainingError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Target(#[from] UnknownTarget),
    #[error(transparent)]
    Generation(#[from] GenerationError),
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the model could not be computed")]
    Compute(#[from] candle_core::Error),
}

impl JobsError {
    /// For a person: what happened, why, and what to do.
    pub fn advice(&self) -> String {
        let text = with_causes(self);
        match self.what_to_do() {
            Some(advice) => format!("{text}. {advice}"),
            None => text,
        }
    }

    fn what_to_do(&self) -> Option<&'static str> {
        match self {
            Self::Run(RunError::Training(TrainingError::NotFinite { .. })) => Some(
                "Start again with a lower learning rate; what was learned before is in the newest checkpoint.",
            ),
            Self::Diverged { step: 0, .. } => Some(
                "Nothing was learned by then, so the learning rate is not to blame: lower lora.alpha, or see whether \
                 the model's weights are whole.",
            ),
            Self::Diverged { .. } => Some("Lower the learning rate, or lora.alpha."),
            Self::Run(RunError::Checkpoint(CheckpointError::Write { .. })) | Self::Write(_) => {
                Some("Make room on the disk, then resume the job.")
            }
            Self::Manifest(ManifestError::OtherModel { .. }) => {
                Some("Start the server with that model and resume the job, or start a new job.")
            }
            Self::Manifest(ManifestError::OtherData { .. }) => Some("Start a new job."),
            _ => None,
        }
    }
}

fn in_words(findings: &[CheckFinding]) -> String {
    let lines: Vec<String> = findings.iter().take(5).map(|it| it.finding.to_string()).collect();
    let more = findings.len() - lines.len();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", lines.join("; "))
}
