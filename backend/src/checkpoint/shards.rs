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

/// A shard is closed when it would be larger than this.
const SHARD_BYTES: usize = 2 << 30;

/// Tensors, by name and shape and with so many bytes a number, as they are cut into shards of some 2 GB.
pub fn into_shards(
    tensors: Vec<(String, Vec<usize>)>,
    number_bytes: usize,
) -> Vec<Vec<(String, Vec<usize>)>> {
    let mut shards = vec![Vec::new()];
    let mut bytes = 0;
    for (name, shape) in tensors {
        let size = shape.iter().product::<usize>() * number_bytes;
        if bytes > 0 && bytes + size > SHARD_BYTES {
            shards.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(shard) = shards.last_mut() {
            shard.push((name, shape));
        }
    }
    shards
}

impl CheckpointForm {
    /// Of the single file, or of the shard with this number, from 0, of so many.
    pub fn shard_name(self, number: usize, of: usize) -> String {
        let (stem, ending) = self.stem_and_ending();
        match of {
            1 => format!("{stem}.{ending}"),
            _ => format!("{stem}-{:05}-of-{of:05}.{ending}", number + 1),
        }
    }

    /// Of the file that says which tensor is in which shard.
    pub fn index_name(self) -> String {
        let (stem, ending) = self.stem_and_ending();
        format!("{stem}.{ending}.index.json")
    }

    fn stem_and_ending(self) -> (&'static str, &'static str) {
        match self {
            Self::Safetensors => ("model", "safetensors"),
            Self::Torch => ("pytorch_model", "bin"),
        }
    }
}

/// Finds the files; safetensors come before torch's form, an index before a single file.
pub(super) fn find_shards(folder: &Path) -> Result<Shards, CheckpointError> {
    for form in [CheckpointForm::Safetensors, CheckpointForm::Torch] {
        let (index, single) = (folder.join(form.index_name()), folder.join(form.shard_name(0, 1)));
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
    use crate::chatglm::{ChatGlmConfig, parameters};

    #[test]
    fn a_shard_outside_the_folder_is_refused() {
        for name in ["../weights.bin", "/etc/passwd", "a/b.bin", "", ".", ".."] {
            assert!(!is_plain_file_name(name), "{name}");
        }
        assert!(is_plain_file_name("pytorch_model-00001-of-00008.bin"));
    }

    #[test]
    fn a_full_size_model_is_cut_into_shards_that_hold_every_tensor_once() {
        let config = ChatGlmConfig::of_shape(28, 4096, 32, 150_528);

        let shards = into_shards(parameters(&config), 2);

        assert!(shards.len() >= 6, "{}", shards.len());
        assert_eq!(shards.iter().flatten().count(), parameters(&config).len());
    }
}
