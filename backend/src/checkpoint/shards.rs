//! Which files of a folder hold its weights, and which tensor is in which.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::{CheckpointError, CheckpointForm};

/// The files that hold a folder's weights.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shards {
    pub(super) form: CheckpointForm,
    pub(super) files: Vec<PathBuf>,
    /// Each tensor's file, where the weights are in shards.
    pub(super) weight_map: Option<BTreeMap<String, PathBuf>>,
}

/// `*.index.json`: the part of it that is needed.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Finds the files; safetensors come before torch's form, an index before a single file.
pub(super) fn find_shards(folder: &Path) -> Result<Shards, CheckpointError> {
    let forms = [
        (CheckpointForm::Safetensors, "model.safetensors.index.json", "model.safetensors"),
        (CheckpointForm::Torch, "pytorch_model.bin.index.json", "pytorch_model.bin"),
    ];
    for (form, index, single) in forms {
        let (index, single) = (folder.join(index), folder.join(single));
        if index.is_file() {
            return read_index(&index, form);
        }
        if single.is_file() {
            return Ok(Shards { form, files: vec![single], weight_map: None });
        }
    }
    Err(CheckpointError::NoWeights { folder: folder.to_owned() })
}

fn read_index(path: &Path, form: CheckpointForm) -> Result<Shards, CheckpointError> {
    let text =
        fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
    let damaged = |what| CheckpointError::Damaged { path: path.to_owned(), what };
    let index: Index = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;

    let folder = path.parent().unwrap_or(Path::new(""));
    let mut files = BTreeMap::new();
    for shard in index.weight_map.values() {
        if !is_plain_file_name(shard) {
            return Err(damaged(format!(
                "the shard name {shard:?} is not the name of a file beside it"
            )));
        }
        let file = folder.join(shard);
        if !file.is_file() {
            return Err(CheckpointError::MissingShard {
                index: path.to_owned(),
                shard: shard.clone(),
            });
        }
        files.insert(shard.clone(), file);
    }
    let weight_map =
        index.weight_map.into_iter().map(|(name, shard)| (name, folder.join(shard))).collect();
    Ok(Shards { form, files: files.into_values().collect(), weight_map: Some(weight_map) })
}

/// Whether `name` stays in the folder: an index is a download, it may not point elsewhere.
fn is_plain_file_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_outside_the_folder_is_refused() {
        for name in ["../weights.bin", "/etc/passwd", "a/b.bin", "", ".", ".."] {
            assert!(!is_plain_file_name(name), "{name}");
        }
        assert!(is_plain_file_name("pytorch_model-00001-of-00008.bin"));
    }
}
