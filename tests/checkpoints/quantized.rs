//! Models that are published in few bits: signed bytes (two numbers in each for 4 bits) and a scale a row.

use std::{collections::BTreeMap, fs, path::Path};

use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, tensor::TensorView};
use weft::{
    chatglm::{ChatGlm, ChatGlmConfig, Input, Pass, parameters},
    checkpoint::Checkpoint,
    device::WeightFormat,
    model_dir::ModelDir,
    ops::{AttentionMask, MaskRow, PositionIds, Quantization, QuantizedWeight},
};

use crate::mini;

/// `mini`, as `model.quantize(bits).save_pretrained(…)` of the reference would have left it.
fn published(form: Quantization, folder: &Path) {
    let checkpoint = Checkpoint::open(&mini()).unwrap();
    let config = fs::read(mini().join("config.json")).unwrap();
    let mut tensors: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = BTreeMap::new();
    for (name, shape) in parameters(&ChatGlmConfig::from_json(&config).unwrap()) {
        let tensor = checkpoint.tensor(&name, &shape, DType::F32, &Device::Cpu).unwrap();
        if shape.len() == 2 && name.contains(".layers.") {
            let quantized = QuantizedWeight::quantize(&tensor, form).unwrap();
            let integers = quantized.integers();
            let bytes = integers.flatten_all().unwrap().to_vec1::<u8>().unwrap();
            tensors.insert(name.clone(), (Dtype::I8, integers.dims().to_vec(), bytes));
            let scales = quantized.scales().flatten_all().unwrap();
            tensors.insert(format!("{name}_scale"), floats(&scales));
        } else {
            tensors.insert(name, floats(&tensor));
        }
    }
    let views: BTreeMap<&str, TensorView> = tensors
        .iter()
        .map(|(name, (dtype, shape, bytes))| {
            (name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).unwrap())
        })
        .collect();
    let weights = folder.join("model.safetensors");
    safetensors::serialize_to_file(views, None, &weights).unwrap();
    let mut config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    config["quantization_bit"] = form.bits().into();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

fn floats(tensor: &Tensor) -> (Dtype, Vec<usize>, Vec<u8>) {
    let values = tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap();
    let values = values.to_vec1::<f32>().unwrap();
    (Dtype::F32, tensor.dims().to_vec(), values.into_iter().flat_map(f32::to_le_bytes).collect())
}

fn hidden_states(model: &ChatGlm) -> Vec<f32> {
    let input = Input {
        input_ids: Tensor::new(&[[5u32, 9, 17, 3, 8]], &Device::Cpu).unwrap(),
        position_ids: PositionIds {
            batch: 1,
            rows: 2,
            seq: 5,
            ids: vec![0, 1, 2, 2, 2, 0, 0, 0, 1, 2],
        },
        attention_mask: AttentionMask::new(vec![MaskRow { padding: 0, context: 3 }]),
    };
    let hidden = model.hidden_states(&input, Pass::default()).unwrap();
    hidden.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn a_published_one_is_the_one_that_is_quantized_while_it_is_loaded() {
    for form in [Quantization::Int8, Quantization::Int4] {
        let folder = tempfile::tempdir().unwrap();
        published(form, folder.path());
        let dir = ModelDir::open(folder.path()).unwrap();

        let found = dir.load(DType::F32, &Device::Cpu).unwrap();

        let format = WeightFormat { dtype: DType::F32, quantization: Some(form) };
        let whole = ModelDir::open(&mini()).unwrap();
        let wanted = whole.load(format, &Device::Cpu).unwrap();
        assert_eq!(found.kept_in(), format);
        assert_eq!(hidden_states(&found), hidden_states(&wanted));

        // Few bits say less, but much the same.
        let exact = hidden_states(&whole.load(DType::F32, &Device::Cpu).unwrap());
        let apart = |found: &[f32]| {
            let squares: f32 = found.iter().zip(&exact).map(|(a, b)| (a - b).powi(2)).sum();
            (squares / exact.iter().map(|it| it.powi(2)).sum::<f32>()).sqrt()
        };
        let bound = if form == Quantization::Int8 { 0.02 } else { 0.3 };
        let off = apart(&hidden_states(&found));
        assert!(off > 0.0 && off < bound, "{}: {off}", form.name());
    }
}

#[test]
fn other_bits_than_the_published_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    published(Quantization::Int4, folder.path());

    let format = WeightFormat { dtype: DType::F32, quantization: Some(Quantization::Int8) };
    let error = ModelDir::open(folder.path()).unwrap().load(format, &Device::Cpu).unwrap_err();

    let told = error.to_string();
    assert!(told.contains("is published in int4, and int8 was wanted"), "{told}");
}
