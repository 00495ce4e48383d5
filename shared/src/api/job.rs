//! Training runs as jobs, what is checked before they start, and what they tell while they go on.

use serde::{Deserialize, Serialize};

use crate::{
    api::estimate::Estimate, bytes::Bytes, dataset::Finding, sample::SampleOptions,
    training::TrainingOptions,
};

/// `POST /api/jobs`, and of the same form `POST /api/check` and `POST /api/dry-run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// The adapter gets this name, with a number behind it where it is taken.
    pub name: String,
    pub dataset: i64,
    pub encoding: SampleOptions,
    pub options: TrainingOptions,
    /// Start from this adapter's weights instead of fresh ones.
    #[serde(default)]
    pub adapter: Option<String>,
    /// Questions that are answered greedily at step 0 and at each checkpoint, beside the base's answer.
    #[serde(default)]
    pub pinned: Vec<String>,
    /// What the page showed; the server refuses a job whose data or model is another.
    #[serde(default)]
    pub preview: Option<Preview>,
    /// Start in spite of warnings.
    #[serde(default)]
    pub despite_warnings: bool,
}

/// What a page previewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preview {
    /// Of the encoded dataset, in hexadecimal (`DatasetDigest`).
    pub dataset_digest: String,
    pub model_fingerprint: String,
}

/// What is known of a job before it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    pub dataset_digest: String,
    pub model_fingerprint: String,
    /// Samples that are trained on.
    pub samples: usize,
    pub held_out: usize,
    /// Tokens of the training samples, without padding.
    pub tokens: usize,
    pub learned_tokens: usize,
    pub longest_sample: usize,
    pub total_steps: usize,
    pub trainable_parameters: u64,
    /// Its time is measured from the first run or dry run of this server on, and computed from sizes before.
    pub estimate: Estimate,
    pub findings: Vec<CheckFinding>,
}

/// One thing that the check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckFinding {
    pub severity: Severity,
    /// The row it is about, where it is about one.
    pub row: Option<i64>,
    #[serde(flatten)]
    pub finding: RunFinding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The job can start when the person says so.
    Warning,
    /// The job cannot start.
    Refusal,
}

/// What can be wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum RunFinding {
    /// Of one pair; `pair` is its index among the rows.
    #[error("pair {}: {}", .0.pair + 1, .0.kind)]
    Pair(Finding),
    #[error("pair {}: nothing of it is learned: {reason}", pair + 1)]
    NothingLearned { pair: usize, reason: String },
    /// The held-out loss then says less than it seems to.
    #[error("pair {} is held out, and pair {} with the same text is trained on", held_out + 1, trained + 1)]
    Leak { held_out: usize, trained: usize },
    #[error("the dataset has no usable pair")]
    NoPairs,
    #[error("{option} must be {wanted}, found {found}")]
    Option { option: String, wanted: String, found: String },
    #[error("the page previewed the dataset as {previewed}, here it is {found}: reload the page")]
    OtherData { previewed: String, found: String },
    #[error(
        "the page previewed with the model {previewed}, the server has {found}: reload the page"
    )]
    OtherModel { previewed: String, found: String },
    #[error("the adapter {adapter} was made for the model {made_for}, the server has {found}")]
    OtherAdapter { adapter: String, made_for: String, found: String },
    #[error("there is no adapter {adapter}")]
    NoAdapter { adapter: String },
    /// By the estimate: what the run adds to the model, and what is free on the device.
    #[error(
        "the run is expected to take {} of memory beside the model, and the device has {} free",
        Bytes(*needed_bytes),
        Bytes(*free_bytes)
    )]
    Memory { needed_bytes: u64, free_bytes: u64 },
}

/// The answer of `POST /api/dry-run`: measured on one real step with the longest samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRun {
    /// Tokens of the longest sample.
    pub longest_sample: usize,
    /// Of one optimizer step with the options' batch of longest samples.
    pub step_seconds: f64,
    /// Of the run, if every step took as long.
    pub total_seconds: f64,
    pub total_steps: usize,
    /// The process's highest memory on the device in that step, model included.
    pub peak_memory_bytes: u64,
    /// Free for it on the device, model included.
    pub memory_bytes: u64,
    /// The largest batch of longest samples that fits, by what one more sample took.
    pub fitting_batch_size: usize,
    pub loss: f64,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl JobState {
    /// Whether nothing more happens by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// One line of `GET /api/jobs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    pub id: i64,
    pub name: String,
    pub state: JobState,
    /// Steps done.
    pub step: usize,
    /// 0 until it is known.
    pub total_steps: usize,
    pub created_ms: u64,
    pub started_ms: Option<u64>,
    pub ended_ms: Option<u64>,
    /// Why it failed, and what to do.
    pub error: Option<String>,
    pub dataset: i64,
    pub dataset_name: String,
    pub dataset_version: u32,
    pub dataset_digest: String,
    pub model_fingerprint: String,
    /// The name of the adapter that it made.
    pub adapter: Option<String>,
}

/// Something that happened to a job, in `GET /api/jobs/{id}/events`; `seq` is the event's id in the stream, so that a
/// browser that reconnects goes on behind the last it saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobEvent {
    /// Counts up from 1 in its job without a gap.
    pub seq: u64,
    pub at_ms: u64,
    #[serde(flatten)]
    pub kind: JobEventKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobEventKind {
    State {
        state: JobState,
        error: Option<String>,
    },
    /// Starts or goes on. What an earlier start told of steps beyond `first_step` is void: it is computed again.
    Started {
        first_step: usize,
        total_steps: usize,
    },
    Step {
        /// Steps done, this one included.
        step: usize,
        loss: f64,
        grad_norm: f64,
        learning_rate: f64,
        tokens_per_second: f64,
        /// The process's memory on the device.
        memory_bytes: u64,
        seconds_left: f64,
    },
    Evaluation {
        step: usize,
        loss: f64,
    },
    /// A checkpoint is complete.
    Saved {
        step: usize,
    },
    /// Greedy answers to the pinned and to a few held-out questions.
    Answers {
        step: usize,
        answers: Vec<SampleAnswer>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SampleAnswer {
    pub question: String,
    pub answer: String,
    /// Without the adapter.
    pub base: String,
    /// The dataset's answer, where the question is from it.
    pub wanted: Option<String>,
}
