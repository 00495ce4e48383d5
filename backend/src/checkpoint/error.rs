//! Why weights could not be read.

use std::io;
use std::path::PathBuf;

use super::{ElementType, PickleError};

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error(
        "{} holds no weights: neither model.safetensors nor pytorch_model.bin, nor an index of shards of either",
        folder.display()
    )]
    NoWeights { folder: PathBuf },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{} is truncated: its contents need {wanted_bytes} bytes or more, the file has {found_bytes}",
        path.display()
    )]
    Truncated { path: PathBuf, wanted_bytes: u64, found_bytes: u64 },
    #[error("{} is damaged: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    #[error("{} cannot be read as weights: {source}", path.display())]
    Pickle { path: PathBuf, source: PickleError },
    #[error(
        "{} is in torch's form from before version 1.6, not a zip: load it in a current torch and save it again",
        path.display()
    )]
    LegacyTorch { path: PathBuf },
    #[error("{} names the shard {shard:?}, which is not in its folder", index.display())]
    MissingShard { index: PathBuf, shard: String },
    #[error("the index says that tensor {name} is in {}, but it is not", shard.display())]
    NotInShard { name: String, shard: PathBuf },
    #[error("no tensor {name} in {}", folder.display())]
    MissingTensor { name: String, folder: PathBuf },
    #[error("tensor {name} in {} has the wrong shape: wanted {wanted:?}, found {found:?}", path.display())]
    WrongShape { name: String, path: PathBuf, wanted: Vec<usize>, found: Vec<usize> },
    #[error("tensor {name} holds {element} numbers, where a weight is f16, bf16, f32 or f64")]
    NotAWeight { name: String, element: ElementType },
    #[error(
        "tensor {name} holds {element} numbers, where a quantized weight is i8 or u8, without gaps"
    )]
    NotIntegers { name: String, element: ElementType },
    #[error("weights cannot be held as {dtype:?}: tensor {name}")]
    UnsupportedType { name: String, dtype: candle_core::DType },
    #[error("tensor {name} could not be put on the device")]
    Device { name: String, source: candle_core::Error },
}
