//! Random weights in the published form, f16 in shards, to be loaded.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
};

use half::f16;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, json};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::state_dict;
use crate::{
    atomic::{self, WriteError},
    chatglm::{ChatGlmConfig, parameters},
    checkpoint::{CheckpointForm, into_shards},
};

/// Of a published number.
const NUMBER_BYTES: usize = 2;
/// Numbers that are repeated until a tensor is full: too many for a file system that compresses to find them again.
const RANDOM: usize = 4 << 20;
/// What torch aligns its storages to.
const ALIGNMENT: u16 = 64;

type Tensors = [(String, Vec<usize>)];

/// Writes `config.json` and weights of these sizes to `folder`, which appears whole or not at all.
pub(super) fn write(
    folder: &Path,
    config: &ChatGlmConfig,
    form: CheckpointForm,
) -> Result<(), WriteError> {
    let shards = into_shards(parameters(config), NUMBER_BYTES);
    let random = random();
    atomic::write_dir(folder, |unfinished| {
        let json = config_json(config).to_string();
        atomic::write_file(&unfinished.join("config.json"), json.as_bytes())?;
        let mut weight_map = Map::new();
        for (number, tensors) in shards.iter().enumerate() {
            let name = form.shard_name(number, shards.len());
            let path = unfinished.join(&name);
            let write = || match form {
                CheckpointForm::Safetensors => write_safetensors(&path, tensors, &random),
                CheckpointForm::Torch => write_torch(&path, tensors, &random),
            };
            write().map_err(WriteError::at(&path))?;
            weight_map.extend(tensors.iter().map(|(it, _)| (it.clone(), name.clone().into())));
        }
        if shards.len() > 1 {
            let index = json!({ "metadata": {}, "weight_map": weight_map }).to_string();
            atomic::write_file(&unfinished.join(form.index_name()), index.as_bytes())?;
        }
        Ok(())
    })
}

fn config_json(config: &ChatGlmConfig) -> serde_json::Value {
    json!({
        "model_type": "chatglm",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "inner_hidden_size": config.inner_hidden_size,
        "num_layers": config.num_layers,
        "num_attention_heads": config.num_attention_heads,
    })
}

/// Small numbers, as bytes.
fn random() -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let number = |_| f16::from_f32(rng.random_range(-0.05..0.05)).to_le_bytes();
    (0..RANDOM).flat_map(number).collect()
}

fn size_bytes(shape: &[usize]) -> usize {
    shape.iter().product::<usize>() * NUMBER_BYTES
}

fn fill(file: &mut impl io::Write, random: &[u8], mut bytes: usize) -> io::Result<()> {
    while bytes > 0 {
        let piece = bytes.min(random.len());
        file.write_all(&random[..piece])?;
        bytes -= piece;
    }
    Ok(())
}

fn write_safetensors(path: &Path, tensors: &Tensors, random: &[u8]) -> io::Result<()> {
    let (mut header, mut end) = (Map::new(), 0);
    for (name, shape) in tensors {
        let start = end;
        end += size_bytes(shape);
        let info = json!({ "dtype": "F16", "shape": shape, "data_offsets": [start, end] });
        header.insert(name.clone(), info);
    }
    let mut header = serde_json::to_vec(&header)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    fill(&mut file, random, end)?;
    file.flush()
}

/// As `torch.save` writes a state dict: a zip of a pickle and of each tensor's bytes as they are.
fn write_torch(path: &Path, tensors: &Tensors, random: &[u8]) -> io::Result<()> {
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path)?));
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .with_alignment(ALIGNMENT);
    for (name, bytes) in [
        ("archive/data.pkl", state_dict::pickle(tensors).as_slice()),
        ("archive/byteorder", b"little"),
        ("archive/version", b"3\n"),
    ] {
        zip.start_file(name, stored)?;
        zip.write_all(bytes)?;
    }
    for (key, (_, shape)) in tensors.iter().enumerate() {
        let bytes = size_bytes(shape);
        let is_large = u32::try_from(bytes).is_err();
        zip.start_file(format!("archive/data/{key}"), stored.large_file(is_large))?;
        fill(&mut zip, random, bytes)?;
    }
    zip.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::{checkpoint::Checkpoint, model_dir::ModelDir};

    #[test]
    fn both_forms_hold_the_same_model() {
        let config = ChatGlmConfig::of_shape(2, 32, 2, 300);
        let parent = tempfile::tempdir().unwrap();
        let forms = [CheckpointForm::Safetensors, CheckpointForm::Torch].map(|form| {
            let folder = parent.path().join(format!("{form:?}"));
            write(&folder, &config, form).unwrap();
            let checkpoint = Checkpoint::open(&folder).unwrap();
            assert_eq!(checkpoint.form(), form);
            (ModelDir::open(&folder).unwrap(), checkpoint)
        });

        for (dir, checkpoint) in &forms {
            assert_eq!(dir.config(), &config);
            assert_eq!(checkpoint.names().count(), parameters(&config).len());
        }
        for (name, shape) in parameters(&config) {
            let [safetensors, torch] = [&forms[0].1, &forms[1].1].map(|checkpoint| {
                let tensor = checkpoint.tensor(&name, &shape, DType::F32, &Device::Cpu).unwrap();
                tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()
            });
            // One file has the tensors one after another, in the other each starts anew.
            assert_eq!(safetensors.len(), torch.len());
            assert!(safetensors.iter().chain(&torch).all(|it| it.abs() < 0.06), "{name}");
        }
    }

    /// candle's reader is another program's answer to the same question.
    #[test]
    fn another_reader_finds_the_tensors_of_a_zip() {
        let config = ChatGlmConfig::of_shape(1, 32, 2, 300);
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("model");
        write(&folder, &config, CheckpointForm::Torch).unwrap();

        let read = candle_core::pickle::read_all(folder.join("pytorch_model.bin")).unwrap();

        let mut found: Vec<_> =
            read.iter().map(|(name, it)| (name.clone(), it.dims().to_vec())).collect();
        let mut wanted = parameters(&config);
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted);
    }
}
