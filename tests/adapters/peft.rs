//! `adapter_config.json` and `adapter_model.safetensors`, written and read.

use std::{collections::HashMap, fs, path::Path};

use candle_core::{DType, Device, Tensor};
use weft::lora::{Adapter, AdapterFile, Target};
use weft_shared::training::LoraOptions;

use crate::support::{counting_adapter, numbers, small_model};

const WEIGHTS: &str = "adapter_model.safetensors";

#[test]
fn what_is_saved_is_read_back() {
    let options = LoraOptions {
        r: 2,
        alpha: 3.0,
        target_modules: vec!["query_key_value".to_owned(), "dense_4h_to_h".to_owned()],
        use_rslora: true,
        ..Default::default()
    };
    let adapter = counting_adapter(options, &small_model());
    let dir = saved(&adapter);

    let read = Adapter::read(dir.path(), &small_model(), &Device::Cpu).unwrap();

    assert_eq!(read.options(), adapter.options());
    assert_eq!(numbers(&read), numbers(&adapter));
    let mut files: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["README.md", "adapter_config.json", WEIGHTS]);
    let card = fs::read_to_string(dir.path().join("README.md")).unwrap();
    assert!(
        card.starts_with("---\nbase_model: \"THUDM/chatglm-6b\"\nlibrary_name: peft\n"),
        "{card}"
    );
}

/// The fixture was written by PEFT 0.21.2 with torch 2.15:
///
/// ```python
/// class Block(torch.nn.Module):
///     def __init__(self, h):
///         super().__init__()
///         self.attention = torch.nn.ModuleDict(
///             {"query_key_value": torch.nn.Linear(h, 3 * h), "dense": torch.nn.Linear(h, h)})
///         self.mlp = torch.nn.ModuleDict(
///             {"dense_h_to_4h": torch.nn.Linear(h, 4 * h), "dense_4h_to_h": torch.nn.Linear(4 * h, h)})
///
/// class Model(torch.nn.Module):
///     def __init__(self, h=8, layers=2):
///         super().__init__()
///         self.config = {"model_type": "chatglm"}
///         self.transformer = torch.nn.Module()
///         self.transformer.layers = torch.nn.ModuleList(Block(h) for _ in range(layers))
///         self.lm_head = torch.nn.Linear(h, 16, bias=False)
///     def prepare_inputs_for_generation(self):
///         pass
///
/// model = get_peft_model(Model(), LoraConfig(
///     r=2, lora_alpha=6, lora_dropout=0.1, target_modules=["query_key_value", "dense_4h_to_h"],
///     task_type="CAUSAL_LM"))
/// n = 0
/// for name, p in sorted(model.named_parameters()):
///     if "lora_" in name:
///         with torch.no_grad():
///             p.copy_(torch.arange(p.numel()).reshape(p.shape) / 64 + n)
///         n += 1
/// model.save_pretrained("peft_adapter")
/// ```
#[test]
fn what_peft_saved_is_read() {
    let dir = weft_tests::fixture("peft_adapter");

    let read = Adapter::read(&dir, &small_model(), &Device::Cpu).unwrap();

    assert_eq!((read.options().r, read.scale(), read.dropout()), (2, 3.0, 0.1));
    assert_eq!(read.options().target_modules, ["query_key_value", "dense_4h_to_h"]);
    // In the order of the names, attention comes before mlp, and lora_A before lora_B.
    let mut first = 0.0;
    for (layer, target, a, b) in numbers(&read) {
        for (part, shape) in
            [(a, (2, target.shape(&small_model()).1)), (b, (target.shape(&small_model()).0, 2))]
        {
            let wanted: Vec<f32> =
                (0..shape.0 * shape.1).map(|it| it as f32 / 64.0 + first).collect();
            assert_eq!(part.concat(), wanted, "layer {layer}, {}", target.name());
            first += 1.0;
        }
    }
    assert_eq!(first, 8.0);
}

#[test]
fn half_precision_becomes_f32() {
    for dtype in [DType::F16, DType::BF16] {
        let (adapter, dir) = adapter();
        change(dir.path(), |tensors| {
            for tensor in tensors.values_mut() {
                *tensor = tensor.to_dtype(dtype).unwrap();
            }
        });

        let read = Adapter::read(dir.path(), &small_model(), &Device::Cpu).unwrap();

        // All numbers are below 4, in steps of 1/64: exact in f16, and their whole parts in bf16.
        let gap = |(a, b): (&f32, &f32)| (a - b).abs();
        for ((_, _, a, _), (_, _, wanted, _)) in numbers(&read).into_iter().zip(numbers(&adapter)) {
            let largest = a.concat().iter().zip(&wanted.concat()).map(gap).fold(0.0, f32::max);
            assert!(
                largest <= if dtype == DType::F16 { 0.0 } else { 0.02 },
                "{dtype:?}: {largest}"
            );
        }
    }
}

#[test]
fn a_tensor_that_does_not_belong_is_named() {
    let name = |layer, part: &str| {
        format!("base_model.model.{}.{part}.weight", Target::QueryKeyValue.module(layer))
    };
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();

    let missing = refused(|tensors| drop(tensors.remove(&name(1, "lora_B"))));
    assert!(
        missing.ends_with(&format!("the tensor {} is missing", name(1, "lora_B"))),
        "{missing}"
    );

    let whole_layer = refused(|tensors| {
        tensors.remove(&name(0, "lora_A"));
        tensors.remove(&name(0, "lora_B"));
    });
    assert!(whole_layer.ends_with("query_key_value.lora_A.weight is missing"), "{whole_layer}");

    let wide = refused(|tensors| drop(tensors.insert(name(1, "lora_B"), zeros(&[12, 2]))));
    assert!(wide.contains(&name(1, "lora_B")), "{wide}");
    assert!(wide.ends_with("has shape [12, 2], wanted [24, 2]"), "{wide}");

    let rank = refused(|tensors| drop(tensors.insert(name(1, "lora_A"), zeros(&[3, 8]))));
    assert!(rank.ends_with("has shape [3, 8], wanted [2, in]"), "{rank}");

    let deep = refused(|tensors| drop(tensors.insert(name(2, "lora_A"), zeros(&[2, 8]))));
    assert!(deep.contains("lora_B.weight is missing"), "{deep}");

    let layers = refused(|tensors| {
        tensors.insert(name(2, "lora_A"), zeros(&[2, 8]));
        tensors.insert(name(2, "lora_B"), zeros(&[24, 2]));
    });
    assert!(layers.ends_with("is of layer 2, and the model has 2"), "{layers}");

    let magnitude = name(0, "lora_magnitude_vector");
    let dora = refused(|tensors| drop(tensors.insert(magnitude.clone(), zeros(&[24]))));
    assert!(
        dora.ends_with(&format!("{magnitude} is of no linear layer of a ChatGLM-6B")),
        "{dora}"
    );

    let other = Target::Dense.module(0);
    let target = refused(|tensors| {
        tensors.insert(format!("base_model.model.{other}.lora_A.weight"), zeros(&[2, 8]));
        tensors.insert(format!("base_model.model.{other}.lora_B.weight"), zeros(&[8, 2]));
    });
    assert!(target.ends_with("but target_modules names query_key_value alone"), "{target}");

    let whole = refused(|tensors| {
        let numbers = Tensor::zeros((2, 8), DType::U32, &Device::Cpu).unwrap();
        tensors.insert(name(0, "lora_A"), numbers);
    });
    assert!(whole.ends_with("holds u32, wanted f32, f16 or bf16"), "{whole}");
}

#[test]
fn a_folder_that_is_no_adapter_is_refused_in_plain_words() {
    let read = |dir: &Path| chain(&AdapterFile::read(dir).unwrap_err());

    let (_, dir) = adapter();
    let weights = fs::read(dir.path().join(WEIGHTS)).unwrap();
    for length in [0, 4, 9, 200, weights.len() - 1] {
        fs::write(dir.path().join(WEIGHTS), &weights[..length]).unwrap();
        let cut = read(dir.path());
        assert!(
            cut.contains("adapter_model.safetensors cannot be used: it is truncated or damaged"),
            "{cut}"
        );
    }
    fs::remove_file(dir.path().join(WEIGHTS)).unwrap();
    assert!(read(dir.path()).contains("has no weights"), "{}", read(dir.path()));

    fs::write(dir.path().join("adapter_config.json"), "{").unwrap();
    assert!(read(dir.path()).contains("adapter_config.json cannot be used: it is no JSON"));

    fs::remove_file(dir.path().join("adapter_config.json")).unwrap();
    assert!(read(dir.path()).ends_with("is no adapter: it has no adapter_config.json"));
}

/// A usable adapter and the folder it is saved in.
fn adapter() -> (Adapter, tempfile::TempDir) {
    let adapter = counting_adapter(LoraOptions { r: 2, ..Default::default() }, &small_model());
    let dir = saved(&adapter);
    (adapter, dir)
}

fn saved(adapter: &Adapter) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    adapter.save(dir.path(), Path::new("THUDM/chatglm-6b")).unwrap();
    dir
}

/// Why a usable adapter cannot be read once its tensors are changed.
fn refused(how: impl FnOnce(&mut HashMap<String, Tensor>)) -> String {
    let (_, dir) = adapter();
    change(dir.path(), how);
    chain(&Adapter::read(dir.path(), &small_model(), &Device::Cpu).unwrap_err())
}

/// Rewrites the tensors of a saved adapter.
fn change(dir: &Path, how: impl FnOnce(&mut HashMap<String, Tensor>)) {
    let path = dir.join(WEIGHTS);
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    how(&mut tensors);
    candle_core::safetensors::save(&tensors, &path).unwrap();
}

/// An error and its causes, as the command line prints them.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
