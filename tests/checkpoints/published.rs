//! The published form, in shards with an index, and the same weights in the other forms.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;
use weft::chatglm::parameters;
use weft::checkpoint::{Checkpoint, CheckpointForm, ElementType};
use weft::model_dir::ModelDir;
use weft_tests::fixture;

use crate::mini;

#[test]
fn a_checkpoint_holds_what_its_configuration_promises() {
    let tiny = weft_tests::reference().into_iter().flat_map(|reference| {
        ["tiny_096f3de", "tiny_main"].map(|name| reference.join(name).join("checkpoint"))
    });
    for folder in tiny.chain([mini()]) {
        let model = ModelDir::open(&folder).unwrap();
        let config = model.config();
        let checkpoint = Checkpoint::open(&folder).unwrap();

        let promised: BTreeMap<_, _> = parameters(config).into_iter().collect();
        let mut found: BTreeMap<_, _> = checkpoint
            .names()
            .map(|name| (name.to_owned(), checkpoint.get(name).unwrap().shape.to_owned()))
            .collect();

        // The embedding is there a second time, and what is computed rather than learned is there too.
        assert_eq!(
            found.remove("lm_head.weight"),
            Some(vec![config.vocab_size, config.hidden_size])
        );
        found.retain(|name, _| !name.ends_with(".rotary_emb.inv_freq"));
        assert_eq!(found, promised, "{}", folder.display());
    }
}

/// candle's reader is another program's answer to the same question.
#[test]
fn every_tensor_is_read_as_candle_reads_it() {
    let checkpoint = Checkpoint::open(&mini()).unwrap();
    assert_eq!(checkpoint.form(), CheckpointForm::Torch);

    for shard in shards_of(&mini()) {
        for (name, wanted) in candle_core::pickle::read_all(&shard).unwrap() {
            let info = checkpoint.get(&name).unwrap();
            assert_eq!((info.element, info.file), (ElementType::F16, shard.as_path()), "{name}");

            for dtype in [DType::F16, DType::F32] {
                let found = checkpoint.tensor(&name, wanted.dims(), dtype, &Device::Cpu).unwrap();
                assert_eq!(found.dtype(), dtype);
                assert_eq!(numbers(&found), numbers(&wanted), "{name}");
            }
        }
    }
}

#[test]
fn safetensors_read_as_the_weights_that_they_were_made_from() {
    let torch = Checkpoint::open(&mini()).unwrap();
    let tensors: HashMap<String, Tensor> =
        torch.names().map(|name| (name.to_owned(), read(&torch, name, DType::F16))).collect();
    let folder = tempfile::tempdir().unwrap();
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();

    let safetensors = Checkpoint::open(folder.path()).unwrap();

    assert_eq!(safetensors.form(), CheckpointForm::Safetensors);
    assert!(safetensors.names().eq(torch.names()));
    for name in torch.names() {
        let pair =
            [&torch, &safetensors].map(|checkpoint| numbers(&read(checkpoint, name, DType::F32)));
        assert_eq!(pair[0], pair[1], "{name}");
    }
}

#[test]
fn safetensors_in_shards_are_found_by_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let mut weight_map = serde_json::Map::new();
    for (shard, name) in [("model-1.safetensors", "first"), ("model-2.safetensors", "second")] {
        let tensor = Tensor::new(&[1f32, 2.0], &Device::Cpu).unwrap();
        candle_core::safetensors::save(&HashMap::from([(name, tensor)]), folder.path().join(shard))
            .unwrap();
        weight_map.insert(name.to_owned(), shard.into());
    }
    let index = serde_json::json!({ "weight_map": weight_map });
    std::fs::write(folder.path().join("model.safetensors.index.json"), index.to_string()).unwrap();

    let checkpoint = Checkpoint::open(folder.path()).unwrap();

    assert!(checkpoint.names().eq(["first", "second"]));
    assert_eq!(checkpoint.get("second").unwrap().file, folder.path().join("model-2.safetensors"));
}

/// `golden.safetensors` was written by the original implementation of the format.
#[test]
fn a_file_of_the_original_implementation_is_read() {
    let path = fixture("mini/golden.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let wanted = safetensors::SafeTensors::deserialize(&bytes).unwrap();

    let file = Checkpoint::open_file(&path, CheckpointForm::Safetensors).unwrap();

    for (name, wanted) in
        wanted.tensors().into_iter().filter(|(_, view)| view.dtype() == Dtype::F32)
    {
        let found = file.tensor(&name, wanted.shape(), DType::F32, &Device::Cpu).unwrap();
        let found: Vec<u8> = numbers(&found).into_iter().flat_map(f32::to_le_bytes).collect();
        assert_eq!(found, wanted.data(), "{name}");
    }
}

fn shards_of(folder: &Path) -> [PathBuf; 2] {
    ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
        .map(|name| folder.join(name))
}

fn read(checkpoint: &Checkpoint, name: &str, dtype: DType) -> Tensor {
    let shape = checkpoint.get(name).unwrap().shape.to_owned();
    checkpoint.tensor(name, &shape, dtype, &Device::Cpu).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}
