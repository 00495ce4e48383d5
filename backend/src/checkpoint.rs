//! Published weights on disk: which tensors a folder holds, and each of them on demand.
//!
//! A folder has one of four forms, looked for in this order:
//! `model.safetensors.index.json` with its shards, `model.safetensors`,
//! `pytorch_model.bin.index.json` with its shards, `pytorch_model.bin`.
//! Opening reads headers only. A tensor is read when it is asked for, in pieces, each straight to where it is computed
//! with ([`Loader`]), so a 12 GB model never exists twice. What the tensors mean is not known here: that is `chatglm`'s
//! business.

mod element;
mod error;
mod load;
mod loader;
mod pickle;
mod safetensors_file;
mod shards;
mod state_dict;
mod torch_file;
mod weight_file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

pub use self::element::ElementType;
pub use self::error::CheckpointError;
use self::load::StoredTensor;
pub use self::loader::{LoadProgress, Loader, Watch};
pub use self::pickle::PickleError;
pub use self::shards::into_shards;
use self::shards::{Shards, find_shards};
use self::weight_file::WeightFile;

/// An opened folder of weights.
#[derive(Debug)]
pub struct Checkpoint {
    folder: PathBuf,
    form: CheckpointForm,
    files: Vec<WeightFile>,
    /// Each tensor, and which of `files` it is in.
    tensors: BTreeMap<String, (usize, StoredTensor)>,
}

/// How the weights of a folder are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointForm {
    Safetensors,
    /// `torch.save`: a zip of raw data and a pickle that describes it.
    Torch,
}

/// What is known of a tensor without reading its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo<'a> {
    pub element: ElementType,
    pub shape: &'a [usize],
    pub file: &'a Path,
}

impl Checkpoint {
    /// Reads what `folder` holds, headers only.
    pub fn open(folder: &Path) -> Result<Self, CheckpointError> {
        let Shards { form, files, weight_map } = find_shards(folder)?;
        let opened =
            files.par_iter().map(|path| open_file(path, form)).collect::<Result<Vec<_>, _>>()?;

        let (mut files, mut tensors) = (Vec::new(), BTreeMap::new());
        for (file, contents) in opened {
            for (name, tensor) in contents {
                let wanted_here = weight_map
                    .as_ref()
                    .is_none_or(|map| map.get(&name).is_some_and(|shard| shard == file.path()));
                if wanted_here {
                    tensors.insert(name, (files.len(), tensor));
                }
            }
            files.push(file);
        }
        let listed = weight_map.iter().flatten();
        for (name, shard) in listed {
            if !tensors.contains_key(name) {
                return Err(CheckpointError::NotInShard {
                    name: name.clone(),
                    shard: shard.clone(),
                });
            }
        }
        Ok(Self { folder: folder.to_owned(), form, files, tensors })
    }

    /// Reads one file of weights, as `open` reads the files of a folder.
    pub fn open_file(path: &Path, form: CheckpointForm) -> Result<Self, CheckpointError> {
        let (file, contents) = open_file(path, form)?;
        let tensors = contents.into_iter().map(|(name, tensor)| (name, (0, tensor))).collect();
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { folder, form, files: vec![file], tensors })
    }

    pub fn form(&self) -> CheckpointForm {
        self.form
    }

    /// The tensors' names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// What `name` is, where it is there.
    pub fn get(&self, name: &str) -> Option<TensorInfo<'_>> {
        let (file, tensor) = self.tensors.get(name)?;
        Some(TensorInfo {
            element: tensor.element,
            shape: &tensor.shape,
            file: self.files[*file].path(),
        })
    }

    /// Reads `name` as a tensor of `dtype` on `device`; it must have the shape `wanted`. Many are read by a [`Loader`].
    pub fn tensor(
        &self,
        name: &str,
        wanted: &[usize],
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor, CheckpointError> {
        Loader::new(self, device, [name], &|_| ()).tensor(name, wanted, dtype)
    }

    fn find_shaped(
        &self,
        name: &str,
        wanted: &[usize],
    ) -> Result<(&WeightFile, &StoredTensor), CheckpointError> {
        let (file, tensor) = self.find(name)?;
        if tensor.shape != wanted {
            return Err(CheckpointError::WrongShape {
                name: name.to_owned(),
                path: file.path().to_owned(),
                wanted: wanted.to_owned(),
                found: tensor.shape.clone(),
            });
        }
        Ok((file, tensor))
    }

    /// The tensor's description and the file that holds it.
    fn find(&self, name: &str) -> Result<(&WeightFile, &StoredTensor), CheckpointError> {
        let (file, tensor) = self.tensors.get(name).ok_or_else(|| {
            CheckpointError::MissingTensor { name: name.to_owned(), folder: self.folder.clone() }
        })?;
        Ok((&self.files[*file], tensor))
    }

    /// The files' sizes together.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(WeightFile::size_bytes).sum()
    }

    /// Reads every byte of the files, to nowhere, on all threads: what a load takes at least.
    pub fn read_through(&self) -> Result<(), CheckpointError> {
        const PIECE: u64 = 4 << 20;
        let pieces = |file: &WeightFile| (0..file.size_bytes()).step_by(PIECE as usize);
        let pieces: Vec<(&WeightFile, u64)> =
            self.files.iter().flat_map(|file| pieces(file).map(move |at| (file, at))).collect();
        pieces.into_par_iter().try_for_each_init(Vec::new, |bytes, (file, at)| {
            bytes.resize(PIECE.min(file.size_bytes() - at) as usize, 0);
            file.read_at(bytes, at)
        })
    }

    /// The files of the folder that hold weights.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(WeightFile::path)
    }
}

/// Every tensor of a small file that `torch.save` wrote, as f32.
pub fn read_state_dict(path: &Path) -> Result<BTreeMap<String, Tensor>, CheckpointError> {
    let checkpoint = Checkpoint::open_file(path, CheckpointForm::Torch)?;
    let loader = Loader::new(&checkpoint, &Device::Cpu, checkpoint.names(), &|_| ());
    let tensors = checkpoint.tensors.iter();
    tensors
        .map(|(name, (_, tensor))| {
            Ok((name.clone(), loader.tensor(name, &tensor.shape, DType::F32)?))
        })
        .collect()
}

type Contents = BTreeMap<String, StoredTensor>;

fn open_file(path: &Path, form: CheckpointForm) -> Result<(WeightFile, Contents), CheckpointError> {
    let file = WeightFile::open(path)?;
    let contents = match form {
        CheckpointForm::Safetensors => safetensors_file::read_contents(&file)?,
        CheckpointForm::Torch => torch_file::read_contents(&file)?,
    };
    Ok((file, contents))
}
