//! An adapter merged into a model answers as beside it.

use candle_core::{DType, Device, Tensor};
use weft::{
    chatglm::{ChatGlm, Input, Pass},
    lora::{self, Adapter, MergeError, Target},
    model_dir::ModelDir,
    ops::{AttentionMask, MaskRow, PositionIds},
};
use weft_shared::training::LoraOptions;

#[test]
fn the_merged_model_computes_the_same_hidden_states() {
    let base = ModelDir::open(&weft_tests::fixture("mini/checkpoint")).unwrap();
    let model = base.load(DType::F32, &Device::Cpu).unwrap();
    let adapter = random_adapter(&base);
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("merged");

    lora::merge(base.path(), base.config(), &adapter, DType::F32, &output).unwrap();

    let merged = ModelDir::open(&output).unwrap().load(DType::F32, &Device::Cpu).unwrap();
    let beside = hidden_states(&model, Some(&adapter));
    let within = hidden_states(&merged, None);
    let without = hidden_states(&model, None);
    assert!(distance(&beside, &within) < 1e-4, "{}", distance(&beside, &within));
    assert!(distance(&beside, &without) > 1e-2, "{}", distance(&beside, &without));
}

#[test]
fn an_existing_folder_is_not_written_over() {
    let base = ModelDir::open(&weft_tests::fixture("mini/checkpoint")).unwrap();
    let adapter = random_adapter(&base);
    let dir = tempfile::tempdir().unwrap();

    let merged = lora::merge(base.path(), base.config(), &adapter, DType::F16, dir.path());

    assert!(matches!(merged, Err(MergeError::Exists(path)) if path == dir.path()));
}

/// An update of every linear layer, large enough to be seen.
fn random_adapter(base: &ModelDir) -> Adapter {
    let options = LoraOptions {
        r: 2,
        alpha: 4.0,
        target_modules: vec!["all-linear".to_owned()],
        ..Default::default()
    };
    let fresh = Adapter::initialize(options, &Target::ALL, base.config(), 5, &Device::Cpu).unwrap();
    let weights = fresh.iter().map(|(layer, target, update)| {
        let mut update = update.clone();
        let numbers = (0..update.b.elem_count()).map(|it| ((it * 7) % 13) as f32 / 100.0 - 0.06);
        let b = Tensor::from_iter(numbers, &Device::Cpu).unwrap();
        update.b = b.reshape(update.b.dims()).unwrap();
        ((layer, target), update)
    });
    Adapter::new(fresh.options().clone(), weights.collect())
}

/// Of four tokens of a prompt and three of an answer.
fn hidden_states(model: &ChatGlm, adapter: Option<&Adapter>) -> Tensor {
    let ids = vec![0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 1, 2, 3];
    let input = Input {
        input_ids: Tensor::new(&[[20u32, 30, 301, 304, 40, 50, 60]], &Device::Cpu).unwrap(),
        position_ids: PositionIds { batch: 1, rows: 2, seq: 7, ids },
        attention_mask: AttentionMask::new(vec![MaskRow { padding: 0, context: 3 }]),
    };
    model.hidden_states(&input, Pass { adapter, ..Pass::default() }).unwrap()
}

/// The largest difference, relative to the largest value.
fn distance(a: &Tensor, b: &Tensor) -> f32 {
    let largest = |it: &Tensor| it.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    largest(&(a - b).unwrap()) / largest(a)
}
