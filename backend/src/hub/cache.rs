//! The cache's folders: `models--OWNER--NAME/{blobs,refs,snapshots}`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use hf_hub::{Repo, RepoType};
use serde::Deserialize;

use super::{HubError, HubSettings, ModelId};

/// One repository's part of the cache.
pub(super) struct Cache {
    folder: PathBuf,
    revision: String,
}

impl Cache {
    pub(super) fn of(settings: &HubSettings, id: &ModelId) -> Self {
        let repo = Repo::new(id.repo.clone(), RepoType::Model);
        let folder = settings.cache.join(repo.folder_name());
        Self { folder, revision: id.revision.clone() }
    }

    /// Where the files of the revision are, if any are cached.
    ///
    /// A branch or tag has a file in `refs` that names its commit; a commit is the folder's name or its beginning.
    pub(super) fn snapshot(&self) -> Option<PathBuf> {
        let snapshots = self.folder.join("snapshots");
        let named = fs::read_to_string(self.folder.join("refs").join(&self.revision));
        let commit = named.map_or_else(|_| self.revision.clone(), |it| it.trim().to_owned());
        let exact = snapshots.join(&commit);
        if exact.is_dir() {
            return Some(exact);
        }
        let is_short_commit = commit.len() >= 7 && commit.bytes().all(|it| it.is_ascii_hexdigit());
        let entries = fs::read_dir(&snapshots).ok().filter(|_| is_short_commit)?;
        let mut found = entries
            .filter_map(Result::ok)
            .filter(|it| it.file_name().to_string_lossy().starts_with(&commit));
        let first = found.next()?;
        found.next().is_none().then(|| first.path())
    }

    /// Where a file of this tag is kept.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }
}

/// The files that an index of weights names.
pub(super) fn shards(index: &Path) -> Result<BTreeSet<String>, HubError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let damaged = |reason: String| HubError::Index { path: index.to_owned(), reason };
    let bytes =
        fs::read(index).map_err(|source| HubError::Cache { path: index.to_owned(), source })?;
    let read: Index = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    let shards: BTreeSet<String> = read.weight_map.into_values().collect();
    // A name goes into paths and addresses: it must not lead elsewhere.
    let leads_elsewhere = |it: &&String| {
        it.is_empty() || it.starts_with('.') || it.contains(['/', '\\', '?', '#', '%'])
    };
    match shards.iter().find(leads_elsewhere) {
        Some(shard) => Err(damaged(format!("{shard:?} is no file name"))),
        None if shards.is_empty() => Err(damaged("it names no files".to_owned())),
        None => Ok(shards),
    }
}
