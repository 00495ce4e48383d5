//! Adds an adapter's update to the weights it belongs to: `W + scale * B A`.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use candle_core::{DType, Device, Tensor};

use super::{Adapter, Target};
use crate::{
    atomic::{self, WriteError},
    chatglm::{ChatGlmConfig, parameters},
    checkpoint::{Checkpoint, CheckpointError, CheckpointForm, into_shards},
    model_dir,
};

/// Why a merged model could not be written.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{0} exists already: choose another folder")]
    Exists(PathBuf),
    #[error("the update could not be computed")]
    Compute(#[from] candle_core::Error),
}

/// Writes the model in `dir` with `adapter` added, as safetensors shards of `dtype`, to `output`.
///
/// One shard at a time is in memory, so a model larger than the memory can be merged.
pub fn merge(
    dir: &Path,
    config: &ChatGlmConfig,
    adapter: &Adapter,
    dtype: DType,
    output: &Path,
) -> Result<(), MergeError> {
    if output.exists() {
        return Err(MergeError::Exists(output.to_owned()));
    }
    let checkpoint = Checkpoint::open(dir)?;
    let shards = into_shards(parameters(config), dtype.size_in_bytes());
    atomic::write_dir(output, |unfinished| {
        let mut weight_map = serde_json::Map::new();
        for (number, names) in shards.iter().enumerate() {
            let file = CheckpointForm::Safetensors.shard_name(number, shards.len());
            let mut tensors = Vec::new();
            for (name, shape) in names {
                let weight = checkpoint.tensor(name, shape, DType::F32, &Device::Cpu)?;
                tensors.push((name.clone(), merged(&weight, name, adapter)?.to_dtype(dtype)?));
                weight_map.insert(name.clone(), file.clone().into());
            }
            write_shard(&unfinished.join(&file), tensors)?;
        }
        if shards.len() > 1 {
            let index = serde_json::json!({ "metadata": {}, "weight_map": weight_map });
            let index = format!("{index:#}");
            let name = CheckpointForm::Safetensors.index_name();
            atomic::write_file(&unfinished.join(name), index.as_bytes())?;
        }
        Ok(model_dir::copy_companions(dir, unfinished)?)
    })
}

/// `weight` of the tensor `name`, with its update if it has one.
fn merged(weight: &Tensor, name: &str, adapter: &Adapter) -> candle_core::Result<Tensor> {
    let update = name
        .strip_suffix(".weight")
        .and_then(Target::of_module)
        .and_then(|(layer, target)| adapter.weights(layer, target));
    match update {
        Some(update) => weight + (update.b.matmul(&update.a)? * adapter.scale())?,
        None => Ok(weight.clone()),
    }
}

fn write_shard(path: &Path, tensors: Vec<(String, Tensor)>) -> Result<(), MergeError> {
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(tensors, Some(metadata), path).map_err(|error| {
        let source = io::Error::other(error);
        MergeError::Write(WriteError { path: path.to_owned(), source })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use weft_shared::training::LoraOptions;

    use super::*;
    use crate::{lora::LoraWeights, ops};

    #[test]
    fn a_merged_layer_answers_like_the_adapter() {
        for alpha in [0.0, 4.0, 16.0] {
            let random =
                |shape: (usize, usize)| Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap();
            let (weight, x) = (random((12, 4)), random((3, 4)));
            let update = LoraWeights { a: random((2, 4)), b: random((12, 2)) };
            let options = LoraOptions { r: 2, alpha, ..Default::default() };
            let weights = BTreeMap::from([((1, Target::QueryKeyValue), update.clone())]);
            let adapter = Adapter::new(options, weights);

            let name = format!("{}.weight", Target::QueryKeyValue.module(1));
            let merged = ops::linear(&x, &merged(&weight, &name, &adapter).unwrap(), None).unwrap();

            let lora =
                ops::LoraOperand { a: &update.a, b: &update.b, scale: alpha / 2.0, dropout: None };
            let apart = ops::lora_linear(&x, &weight, None, &lora).unwrap();
            let gap = (merged - apart).unwrap().abs().unwrap().max_all().unwrap();
            assert!(gap.to_scalar::<f32>().unwrap() < 1e-4, "alpha {alpha}");
        }
    }
}
