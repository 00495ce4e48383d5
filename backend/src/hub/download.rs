//! Fetches files into the cache, on `hf-hub`.
//!
//! That crate goes on from a partial file but neither tries again safely, nor looks at what it got: both are here.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use hf_hub::{
    Repo, RepoType,
    api::sync::{Api, ApiBuilder, ApiError, ApiRepo},
};
use sha2::{Digest as _, Sha256};

use super::{HubError, HubSettings, ModelId, Progress, cache::Cache, progress::Watch};

/// How often a transfer that breaks off is taken up again.
const ATTEMPTS: u32 = 5;

/// The downloads of one model.
pub(super) struct Downloads<'a> {
    api: Api,
    repo: ApiRepo,
    cache: Cache,
    hub: String,
    id: &'a ModelId,
    progress: &'a mut dyn FnMut(&Progress),
}

impl<'a> Downloads<'a> {
    pub(super) fn new(
        settings: &HubSettings,
        id: &'a ModelId,
        progress: &'a mut dyn FnMut(&Progress),
    ) -> Result<Self, HubError> {
        let path = &settings.cache;
        let unusable = |source| HubError::Cache { path: path.clone(), source };
        let folder = std::path::absolute(path).map_err(unusable)?;
        fs::create_dir_all(&folder).map_err(unusable)?;
        let mut builder = ApiBuilder::from_cache(hf_hub::Cache::new(folder))
            .with_token(settings.token.clone())
            .with_progress(false)
            .with_user_agent("weft", env!("CARGO_PKG_VERSION"));
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint.clone());
        }
        let hub = settings.endpoint.clone().unwrap_or_else(|| "the hub".to_owned());
        let api = builder.build().map_err(|error| error_of(error, id, "", &hub))?;
        let ModelId { repo, revision } = id.clone();
        let repo = api.repo(Repo::with_revision(repo, RepoType::Model, revision));
        Ok(Self { api, repo, cache: Cache::of(settings, id), hub, id, progress })
    }

    /// Fetches `file`; `None` if the repository does not have it.
    pub(super) fn get(&mut self, file: &str) -> Result<Option<PathBuf>, HubError> {
        let mut attempt = 1;
        loop {
            match self.attempt(file) {
                Ok(path) => return Ok(Some(path)),
                Err(HubError::Status { status: 404, .. }) => return Ok(None),
                Err(HubError::Transfer { source, .. }) if attempt < ATTEMPTS => {
                    tracing::warn!("{file}: {source}; going on from where it broke off");
                    thread::sleep(Duration::from_millis(200) * attempt);
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn attempt(&mut self, file: &str) -> Result<PathBuf, HubError> {
        let (id, hub) = (self.id, &self.hub);
        let explain = |error| error_of(error, id, file, hub);
        let metadata = self.api.metadata(&self.repo.url(file)).map_err(explain)?;
        let (etag, size) = (metadata.etag(), metadata.size() as u64);
        let blob = self.cache.blob(etag);
        shorten_complete_part(&blob.with_extension("part"), size)?;

        let path =
            self.repo.download_with_progress(file, Watch::new(self.progress)).map_err(explain)?;
        self.check(file, &path, size, etag)?;
        Ok(path)
    }

    /// Holds what came to its size, and if the hub gives it, to its SHA-256; removes what is wrong.
    fn check(&self, file: &str, path: &Path, wanted: u64, etag: &str) -> Result<(), HubError> {
        let unreadable = |source| HubError::Cache { path: path.to_owned(), source };
        let (id, file) = (self.id.clone(), file.to_owned());
        let found = fs::metadata(path).map_err(unreadable)?.len();
        let wrong = if found != wanted {
            HubError::Size { id, file, wanted, found }
        } else if is_sha256(etag) {
            let digest = sha256(path).map_err(unreadable)?;
            if digest == etag.to_ascii_lowercase() {
                return Ok(());
            }
            HubError::Digest { id, file, wanted: etag.to_owned(), found: digest }
        } else {
            return Ok(());
        };
        let blob = path.canonicalize().map_err(unreadable)?;
        fs::remove_file(path).and_then(|()| fs::remove_file(blob)).map_err(unreadable)?;
        Err(wrong)
    }

    /// Whether the file, the revision or the whole repository is missing.
    pub(super) fn why_absent(&self, file: &str) -> HubError {
        let id = self.id.clone();
        if self.repo.info().is_ok() {
            HubError::NoFile { id, file: file.to_owned() }
        } else if self.api.model(id.repo.clone()).info().is_ok() {
            HubError::NoRevision { id }
        } else {
            HubError::NoRepository { id }
        }
    }
}

/// A part that is complete, or longer than the file, cannot be gone on with: leaves one byte to ask for.
fn shorten_complete_part(part: &Path, size: u64) -> Result<(), HubError> {
    let unusable = |source| HubError::Cache { path: part.to_owned(), source };
    match fs::metadata(part) {
        Ok(metadata) if metadata.len() > size => fs::remove_file(part).map_err(unusable),
        Ok(metadata) if metadata.len() == size && size > 0 => {
            let file = OpenOptions::new().write(true).open(part).map_err(unusable)?;
            file.set_len(size - 1).map_err(unusable)
        }
        _ => Ok(()),
    }
}

/// Large files have their SHA-256 as tag, small ones a git object's SHA-1.
fn is_sha256(etag: &str) -> bool {
    etag.len() == 64 && etag.bytes().all(|it| it.is_ascii_hexdigit())
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}

/// `hf-hub`'s error in Weft's words.
fn error_of(error: ApiError, id: &ModelId, file: &str, hub: &str) -> HubError {
    let (id, file) = (id.clone(), file.to_owned());
    match error {
        ApiError::LockAcquisition(_) => HubError::Locked { id, file },
        ApiError::IoError(source) if source.kind() == io::ErrorKind::StorageFull => {
            HubError::Cache { path: file.into(), source }
        }
        ApiError::RequestError(error) => match *error {
            ureq::Error::StatusCode(status @ (401 | 403)) => HubError::Refused { id, file, status },
            ureq::Error::StatusCode(status) => HubError::Status { id, file, status },
            ureq::Error::HostNotFound => {
                let source = io::Error::new(io::ErrorKind::NotFound, "its name is not known");
                HubError::Unreachable { hub: hub.to_owned(), source }
            }
            ureq::Error::Io(source) if source.kind() == io::ErrorKind::ConnectionRefused => {
                HubError::Unreachable { hub: hub.to_owned(), source }
            }
            ureq::Error::ConnectionFailed => {
                let source = io::Error::other("no connection");
                HubError::Unreachable { hub: hub.to_owned(), source }
            }
            error => HubError::Transfer { id, file, source: Box::new(error) },
        },
        error => HubError::Transfer { id, file, source: Box::new(error) },
    }
}
