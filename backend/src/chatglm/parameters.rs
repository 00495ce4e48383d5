//! What a model's weights must be, and how many numbers they are, from its configuration alone.

use super::ChatGlmConfig;
use crate::lora::Target;

/// Published name and shape of every tensor of a model, in the order that `ChatGlm::load` asks for them.
///
/// Without `lm_head.weight`, which is the embedding again, and the blocks' `rotary_emb.inv_freq`, which is computed.
pub fn parameters(config: &ChatGlmConfig) -> Vec<(String, Vec<usize>)> {
    let model = config.hidden_size;
    let mut tensors =
        vec![("transformer.word_embeddings.weight".to_owned(), vec![config.vocab_size, model])];
    let pair = |module: String, weight: Vec<usize>| {
        let bias = vec![weight[0]];
        [(format!("{module}.weight"), weight), (format!("{module}.bias"), bias)]
    };
    for layer in 0..config.num_layers {
        let norm = |name: &str| pair(format!("transformer.layers.{layer}.{name}"), vec![model]);
        let linear = |target: Target| {
            let (n_out, n_in) = target.shape(config);
            pair(target.module(layer), vec![n_out, n_in])
        };
        tensors.extend(norm("input_layernorm"));
        tensors.extend([Target::QueryKeyValue, Target::Dense].into_iter().flat_map(linear));
        tensors.extend(norm("post_attention_layernorm"));
        tensors.extend([Target::DenseHTo4h, Target::Dense4hToH].into_iter().flat_map(linear));
    }
    tensors.extend(pair("transformer.final_layernorm".to_owned(), vec![model]));
    tensors
}

/// How many numbers a model learns, and how many it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterCount {
    pub trainable: u64,
    /// With those that learn.
    pub total: u64,
}

impl ParameterCount {
    /// A model whose every weight learns. The embedding, which is the output layer too, counts once.
    pub fn of_model(config: &ChatGlmConfig) -> Self {
        let total = parameters(config).iter().map(|(_, shape)| numbers(shape)).sum();
        Self { trainable: total, total }
    }

    /// A frozen model with updates of rank `r` of its `targets`.
    pub fn with_lora(config: &ChatGlmConfig, r: usize, targets: &[Target]) -> Self {
        let a_block: u64 = targets
            .iter()
            .map(|target| {
                let (n_out, n_in) = target.shape(config);
                numbers(&[r, n_in]) + numbers(&[n_out, r])
            })
            .sum();
        let trainable = config.num_layers as u64 * a_block;
        Self { trainable, total: Self::of_model(config).total + trainable }
    }

    /// Share of the numbers that learn, in percent.
    pub fn percent(self) -> f64 {
        100.0 * self.trainable as f64 / self.total as f64
    }
}

fn numbers(shape: &[usize]) -> u64 {
    shape.iter().map(|size| *size as u64).product()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use candle_core::{DType, Device, Tensor};

    use super::*;
    use crate::chatglm::ChatGlm;

    #[test]
    fn the_published_size_has_the_published_count() {
        let config = ChatGlmConfig::of_shape(28, 4096, 32, 150_528);

        let alone = ParameterCount::of_model(&config);
        let lora = ParameterCount::with_lora(&config, 8, &[Target::QueryKeyValue]);

        assert_eq!(alone.total, 6_255_206_400);
        assert_eq!(lora, ParameterCount { trainable: 3_670_016, total: 6_258_876_416 });
        assert_eq!(format!("{:.4}", lora.percent()), "0.0586");
    }

    #[test]
    fn every_target_adds_its_two_matrices_to_every_block() {
        let config = ChatGlmConfig::of_shape(3, 16, 2, 40);

        let lora = ParameterCount::with_lora(&config, 2, &Target::ALL);

        let (qkv, dense, up, down) = (48 + 16, 16 + 16, 64 + 16, 16 + 64);
        assert_eq!(lora.trainable, 3 * 2 * (qkv + dense + up + down));
    }

    #[test]
    fn they_are_what_a_model_asks_for_in_its_order() {
        let config = ChatGlmConfig::of_shape(2, 16, 2, 40);
        let asked = RefCell::new(Vec::new());

        ChatGlm::load(config.clone(), &|name: &str, shape: &[usize]| {
            asked.borrow_mut().push((name.to_owned(), shape.to_vec()));
            Tensor::zeros(shape, DType::F32, &Device::Cpu)
        })
        .unwrap();

        assert_eq!(parameters(&config), asked.into_inner());
    }
}
