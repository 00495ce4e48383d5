//! Why a model cannot be had.

use std::{io, path::PathBuf};

use super::ModelId;
use crate::atomic::WriteError;

#[derive(Debug, thiserror::Error)]
pub enum HubError {
    #[error(
        "there is no folder {found}, and it is no hub id either, such as {} or owner/name@revision; the model that the \
         program carries is called {}",
        super::DEFAULT_REPO,
        crate::embedded::NAME
    )]
    NoModel { found: String },
    #[error("the embedded model could not be unpacked; WEFT_CACHE_DIR names another place for it")]
    Unpack(#[from] WriteError),
    #[error("the file {file} is missing")]
    NotThere { file: String },
    #[error(
        "{file} of {id} is not in the cache, and HF_HUB_OFFLINE forbids to fetch it; \
         fetch the model once with `weft model fetch --model {id}`"
    )]
    Offline { id: ModelId, file: String },
    #[error("there is no folder {}, and the hub has no repository of this name", id.repo)]
    NoRepository { id: ModelId },
    #[error("the hub's repository {} has no revision {}", id.repo, id.revision)]
    NoRevision { id: ModelId },
    #[error("the hub's {id} has no {file}: it is no ChatGLM-6B in the published form")]
    NoFile { id: ModelId, file: String },
    #[error(
        "the hub refuses to give {file} of {id} (status {status}): the repository is private or gated, or does not \
         exist; put a token that may read it into HF_TOKEN"
    )]
    Refused { id: ModelId, file: String, status: u16 },
    #[error("the hub answered with status {status} when asked for {file} of {id}")]
    Status { id: ModelId, file: String, status: u16 },
    #[error("cannot reach {hub}; a model that is in a folder or in the cache needs no hub")]
    Unreachable {
        hub: String,
        #[source]
        source: io::Error,
    },
    #[error(
        "{file} of {id} has {found} bytes, wanted {wanted}; it was removed, so that it can be fetched again"
    )]
    Size { id: ModelId, file: String, wanted: u64, found: u64 },
    #[error(
        "{file} of {id} is damaged: its digest is {found}, wanted {wanted}; it was removed, so that it can be fetched again"
    )]
    Digest { id: ModelId, file: String, wanted: String, found: String },
    #[error("another program is fetching {file} of {id}")]
    Locked { id: ModelId, file: String },
    #[error("{path} is no index of weights: {reason}")]
    Index { path: PathBuf, reason: String },
    #[error("cannot read or write {path}")]
    Cache {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "{file} of {id} could not be fetched; what has arrived is kept and the next attempt goes on from there"
    )]
    Transfer {
        id: ModelId,
        file: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl HubError {
    /// What a missing file means where nothing may be fetched.
    pub(super) fn offline(self, id: &ModelId) -> Self {
        match self {
            Self::NotThere { file } => Self::Offline { id: id.clone(), file },
            other => other,
        }
    }
}
