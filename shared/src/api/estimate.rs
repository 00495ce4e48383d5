//! What a run is expected to take, before it starts.

use serde::{Deserialize, Serialize};

/// Memory and time of a run, computed from sizes and the device's speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Estimate {
    pub memory: MemoryEstimate,
    /// `None` where nothing is known of the device's speed.
    pub time: Option<TimeEstimate>,
}

/// Where the memory of the longest batch goes, in bytes. Not all of it is in use at the same time: see `peak_bytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemoryEstimate {
    /// The most in use at one time.
    pub peak_bytes: u64,
    /// The model as it is kept on the device.
    pub weights_bytes: u64,
    /// What learns beside the model, and the optimizer's two moments of all that learns.
    pub learned_bytes: u64,
    pub gradients_bytes: u64,
    /// What the forward keeps for the backward.
    pub kept_bytes: u64,
    /// While the loss is computed: scores over the vocabulary, in chunks, and their gradient.
    pub loss_bytes: u64,
    /// While a block is computed.
    pub scratch_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeEstimate {
    /// Of one optimizer step, on average.
    pub step_seconds: f64,
    /// Of all steps, without evaluations and checkpoints.
    pub total_seconds: f64,
    /// Whether it is from steps that were taken on this server, not from sizes.
    pub is_measured: bool,
}
