//! State dicts of 2023 become adapters that compute the same.

use std::{collections::BTreeMap, path::Path};

use candle_core::{DType, Device, Tensor, safetensors};
use weft::lora::{Adapter, ImportOptions, Layout, StateDictError, Target, from_state_dict, import};

use crate::support::{numbers, small_model};

/// Made by torch 2.15; the storages claim to be on a GPU, as the tutorial's were.
///
/// ```python
/// def numbers(*shape):
///     return torch.randint(-64, 64, shape) / 64
///
/// torch.manual_seed(7)
/// torch.serialization.location_tag = lambda storage: "cuda:0"
/// name = "base_model.model.transformer.layers.{}.attention.query_key_value.{}.weight"
/// plain = {}
/// for layer in range(2):
///     plain[name.format(layer, "lora_A")] = numbers(2, 8).half()
///     plain[name.format(layer, "lora_B")] = numbers(24, 2).half()
/// torch.save(plain, "plain.pt")
/// ```
#[test]
fn a_state_dict_of_lora_weights_is_imported() {
    let options = ImportOptions { lora_alpha: 6.0, lora_dropout: 0.25 };

    let imported = import(&fixture("plain.pt"), &options).unwrap();

    assert_eq!(imported.layout, Layout::Plain);
    let adapter = imported.adapter;
    assert_eq!((adapter.options().r, adapter.scale(), adapter.dropout()), (2, 3.0, 0.25));
    assert_eq!(adapter.options().target_modules, ["query_key_value"]);
    // The sums that torch gives for the four tensors.
    let sum = |rows: &Vec<Vec<f32>>| rows.concat().iter().sum::<f32>();
    let sums: Vec<_> = numbers(&adapter).iter().flat_map(|(_, _, a, b)| [sum(a), sum(b)]).collect();
    assert_eq!(sums, SUMS);
    assert_saved_and_read(&adapter);
}

/// The convolution's weights and the answers of PEFT 0.2.0's own module, run on torch 2.15:
///
/// ```python
/// x = numbers(3, 8)
/// for layer in range(2):
///     m = MergedLinear(8, 24, r=2, lora_alpha=6, enable_lora=[True, False, True], merge_weights=False)
///     with torch.no_grad():
///         m.weight.zero_(); m.bias.zero_()
///         m.lora_A.weight.copy_(numbers(4, 8)); m.lora_B.weight.copy_(numbers(16, 2, 1))
///     m.eval()
///     merged |= {name.format(layer, k.removesuffix(".weight")): v for k, v in m.named_parameters() if "lora" in k}
///     answers[f"y{layer}"] = m(x)
/// torch.save(merged, "merged_linear.pt")
/// ```
#[test]
fn a_merged_linear_of_2023_computes_what_pefts_own_did() {
    let options = ImportOptions { lora_alpha: 6.0, lora_dropout: 0.1 };
    let answers =
        safetensors::load(fixture("merged_linear_answers.safetensors"), &Device::Cpu).unwrap();

    let imported = import(&fixture("merged_linear.pt"), &options).unwrap();

    assert_eq!(imported.layout, Layout::MergedLinear);
    let adapter = imported.adapter;
    assert_eq!((adapter.options().r, adapter.options().alpha, adapter.scale()), (4, 12.0, 3.0));
    for (layer, _, update) in adapter.iter() {
        let after_a = answers["x"].matmul(&update.a.t().unwrap()).unwrap();
        let y = (after_a.matmul(&update.b.t().unwrap()).unwrap() * adapter.scale()).unwrap();
        let gap = (y - &answers[&format!("y{layer}")]).unwrap().abs().unwrap();
        let gap = gap.max_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(gap < 1e-5, "layer {layer}: {gap}");
    }
    assert_saved_and_read(&adapter);
}

#[test]
fn older_and_wrapped_names_are_understood() {
    let module = Target::QueryKeyValue.module(0);
    for (before, after) in [
        ("", ".weight"),
        ("", ""),
        ("base_model.model.", ".default.weight"),
        ("module.base_model.model.", ".weight"),
    ] {
        let tensors = BTreeMap::from([
            (format!("{before}{module}.lora_A{after}"), zeros(&[2, 8])),
            (format!("{before}{module}.lora_B{after}"), zeros(&[24, 2])),
        ]);

        let imported = from_state_dict(tensors, &ImportOptions::default()).unwrap();

        assert_eq!(imported.adapter.options().r, 2, "{before}…{after}");
        assert_eq!(imported.adapter.options().alpha, 32.0);
    }
}

#[test]
fn what_is_no_adapter_is_refused_in_plain_words() {
    let refused = |tensors: &[(&str, &[usize])]| {
        let tensors = tensors.iter().map(|(name, shape)| ((*name).to_owned(), zeros(shape)));
        let error: StateDictError =
            from_state_dict(tensors.collect(), &ImportOptions::default()).unwrap_err();
        error.to_string()
    };
    let (a0, b0) = (
        "transformer.layers.0.attention.query_key_value.lora_A.weight",
        "transformer.layers.0.attention.query_key_value.lora_B.weight",
    );
    let (a1, b1) = (
        "transformer.layers.1.attention.query_key_value.lora_A.weight",
        "transformer.layers.1.attention.query_key_value.lora_B.weight",
    );

    assert_eq!(refused(&[]), "it holds no tensors");
    let other = refused(&[("transformer.word_embeddings.weight", &[4, 4])]);
    assert!(other.contains("transformer.word_embeddings.weight is no LoRA weight"), "{other}");
    let half = refused(&[(a0, &[2, 8])]);
    assert_eq!(half, format!("the tensor base_model.model.{b0} is missing"));
    let hole = refused(&[(a1, &[2, 8]), (b1, &[24, 2])]);
    assert_eq!(hole, format!("the tensor base_model.model.{a0} is missing"));
    let twice = refused(&[(a0, &[2, 8]), (&format!("module.{a0}"), &[2, 8])]);
    assert!(twice.ends_with("is there twice, under two names"), "{twice}");
    let ranks = refused(&[(a0, &[2, 8]), (b0, &[24, 2]), (a1, &[4, 8]), (b1, &[24, 4])]);
    assert!(ranks.ends_with("has r 4, those before it 2"), "{ranks}");
    let mixed = refused(&[(a0, &[2, 8]), (b0, &[24, 2]), (a1, &[4, 8]), (b1, &[16, 2, 1])]);
    assert!(mixed.ends_with("layers.1.attention.query_key_value is not"), "{mixed}");
    for shape in [&[24, 2, 1][..], &[24, 3], &[16, 2, 1], &[16, 1, 2], &[24]] {
        let shapes = refused(&[(a0, &[2, 8]), (b0, shape)]);
        assert!(shapes.contains(&format!("lora_B {shape:?}")), "{shapes}");
    }
}

#[test]
fn a_damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.pt");
    let bytes = std::fs::read(fixture("plain.pt")).unwrap();
    for length in [0, 100, bytes.len() - 30] {
        std::fs::write(&path, &bytes[..length]).unwrap();

        assert!(import(&path, &ImportOptions::default()).is_err(), "{length} bytes");
    }
}

/// What torch gives as the sums of the tensors of `plain.pt`.
const SUMS: [f32; 4] = [0.140_625, -3.953_125, 0.296_875, -1.828_125];

/// The adapter is whole: what is saved fits a model and is the same.
fn assert_saved_and_read(adapter: &Adapter) {
    let dir = tempfile::tempdir().unwrap();
    adapter.save(dir.path(), Path::new("")).unwrap();
    let read = Adapter::read(dir.path(), &small_model(), &Device::Cpu).unwrap();
    assert_eq!(numbers(&read), numbers(adapter));
    assert_eq!(read.options(), adapter.options());
}

fn fixture(name: &str) -> std::path::PathBuf {
    weft_tests::fixture("state_dicts").join(name)
}

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap()
}
