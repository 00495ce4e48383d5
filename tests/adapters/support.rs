//! Small adapters with known numbers.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use weft::{
    chatglm::ChatGlmConfig,
    lora::{Adapter, LoraWeights, Target},
};
use weft_shared::training::LoraOptions;

/// Two layers, eight wide: the model of `fixtures/peft_adapter`.
pub(crate) fn small_model() -> ChatGlmConfig {
    ChatGlmConfig::of_shape(2, 8, 2, 16)
}

/// An adapter of `r` 2 whose numbers are `0, 1/64, 2/64, …`, one after another through all its tensors.
pub(crate) fn counting_adapter(options: LoraOptions, config: &ChatGlmConfig) -> Adapter {
    let mut next = 0;
    let mut count = |shape: (usize, usize)| {
        let numbers = (next..next + shape.0 * shape.1).map(|it| it as f32 / 64.0);
        next += shape.0 * shape.1;
        Tensor::from_iter(numbers, &Device::Cpu).unwrap().reshape(shape).unwrap()
    };
    let targets = Target::from_names(&options.target_modules).unwrap();
    let mut weights = BTreeMap::new();
    for layer in 0..config.num_layers {
        for &target in &targets {
            let (n_out, n_in) = target.shape(config);
            let (a, b) = (count((options.r, n_in)), count((n_out, options.r)));
            weights.insert((layer, target), LoraWeights { a, b });
        }
    }
    Adapter::new(options, weights)
}

/// A matrix, row by row.
type Rows = Vec<Vec<f32>>;

/// Every number of an adapter, with the names it stands under.
pub(crate) fn numbers(adapter: &Adapter) -> Vec<(usize, Target, Rows, Rows)> {
    let numbers = |tensor: &Tensor| tensor.to_vec2().unwrap();
    adapter
        .iter()
        .map(|(layer, target, it)| (layer, target, numbers(&it.a), numbers(&it.b)))
        .collect()
}
