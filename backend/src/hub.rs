//! Models by their hub id: found in the cache that all Hugging Face programs share, or fetched into it.

mod cache;
mod download;
mod error;
mod model_id;
mod progress;
mod settings;

use std::path::{Path, PathBuf};

pub use error::HubError;
pub use model_id::{DEFAULT_REPO, DEFAULT_REVISION, ModelId};
pub use progress::Progress;
pub use settings::HubSettings;

use crate::embedded;
use cache::Cache;
use download::Downloads;

/// What a model cannot be used without, besides its weights.
const REQUIRED: [&str; 2] = ["config.json", "ice_text.model"];
/// What is fetched where a repository has it.
const OPTIONAL: [&str; 1] = ["tokenizer_config.json"];
/// Weights in shards, the better form first.
const INDEXES: [&str; 2] = ["model.safetensors.index.json", "pytorch_model.bin.index.json"];
/// Weights in one file, the better form first.
const WEIGHTS: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// The folder that `model` names: that of the embedded model, itself if it is one, or else that of a hub id, fetched
/// if it is not cached.
///
/// Settings come from the environment; progress goes to stderr.
pub fn resolve(model: &str) -> Result<PathBuf, HubError> {
    if model == embedded::NAME {
        return Ok(embedded::unpack(&embedded::cache_dir())?);
    }
    if Path::new(model).is_dir() {
        return Ok(model.into());
    }
    let id: ModelId = model.parse()?;
    Hub::new(HubSettings::from_env()).fetch(&id, &mut progress::to_stderr())
}

/// Fetches `repo` at `revision` with the settings of the environment.
pub fn fetch(
    repo: &str,
    revision: &str,
    progress: &mut dyn FnMut(&Progress),
) -> Result<PathBuf, HubError> {
    let id = ModelId { repo: repo.to_owned(), revision: revision.to_owned() };
    Hub::new(HubSettings::from_env()).fetch(&id, progress)
}

/// A hub and the cache beside it.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: HubSettings,
}

impl Hub {
    pub fn new(settings: HubSettings) -> Self {
        Self { settings }
    }

    /// The folder of a model all of whose files are in the cache. Nothing is asked of the hub.
    pub fn cached(&self, id: &ModelId) -> Option<PathBuf> {
        let snapshot = Cache::of(&self.settings, id).snapshot()?;
        collect(|name| Ok(Some(snapshot.join(name)).filter(|it| it.exists()))).ok()
    }

    /// The folder of a model; what is not in the cache is fetched, from where an earlier attempt ended.
    pub fn fetch(
        &self,
        id: &ModelId,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<PathBuf, HubError> {
        if let Some(folder) = self.cached(id) {
            return Ok(folder);
        }
        let cache = Cache::of(&self.settings, id);
        let cached = |name: &str| cache.snapshot().map(|it| it.join(name)).filter(|it| it.exists());
        if self.settings.offline {
            return collect(|name| Ok(cached(name))).map_err(|error| error.offline(id));
        }
        let mut downloads = Downloads::new(&self.settings, id, progress)?;
        let folder = collect(|name| match cached(name) {
            Some(path) => Ok(Some(path)),
            None => downloads.get(name),
        });
        folder.map_err(|error| match error {
            HubError::NotThere { file, .. } => downloads.why_absent(&file),
            error => error,
        })
    }
}

/// Asks `get` for every file of a model; gives the folder they are in. `get` gives `None` for what there is not.
fn collect(
    mut get: impl FnMut(&str) -> Result<Option<PathBuf>, HubError>,
) -> Result<PathBuf, HubError> {
    let mut need =
        |name: &str| get(name)?.ok_or_else(|| HubError::NotThere { file: name.to_owned() });
    let first = need(REQUIRED[0])?;
    for name in &REQUIRED[1..] {
        need(name)?;
    }
    for name in OPTIONAL {
        get(name)?;
    }
    let folder = first.parent().unwrap_or(Path::new("")).to_owned();
    for name in INDEXES {
        if let Some(index) = get(name)? {
            for shard in cache::shards(&index)? {
                get(&shard)?.ok_or(HubError::NotThere { file: shard })?;
            }
            return Ok(folder);
        }
    }
    for name in WEIGHTS {
        if get(name)?.is_some() {
            return Ok(folder);
        }
    }
    Err(HubError::NotThere { file: INDEXES[1].to_owned() })
}
