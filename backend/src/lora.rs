//! Low-rank adapters (Hu et al. 2021, "LoRA"): `y = x W^T + b + scale * dropout(x) A^T B^T`, where only `A` and `B`
//! learn.

mod adapter_file;
mod config;
mod import;
mod merge;
mod names;
mod target;
mod target_modules;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::training::LoraOptions;

use self::names::Part;
use crate::chatglm::ChatGlmConfig;

pub use adapter_file::{AdapterError, AdapterFile, AdapterParts, WeightsError};
pub use config::{ConfigError, LoraConfig};
pub use import::{
    ImportError, ImportOptions, Imported, Layout, StateDictError, from_state_dict, import,
};
pub use merge::{MergeError, merge};
pub use target::{Target, UnknownTarget};
pub use target_modules::TargetModules;

/// The update of one linear layer, f32.
#[derive(Clone, Debug)]
pub struct LoraWeights {
    pub a: Tensor, // [r, in]
    pub b: Tensor, // [out, r], zero at the start, so training starts at the frozen model
}

/// The updates of a whole model.
#[derive(Clone, Debug)]
pub struct Adapter {
    options: LoraOptions,
    weights: BTreeMap<(usize, Target), LoraWeights>,
}

impl Adapter {
    /// An adapter of these weights, by layer and target.
    pub fn new(options: LoraOptions, weights: BTreeMap<(usize, Target), LoraWeights>) -> Self {
        Self { options, weights }
    }

    /// A fresh adapter. `A` is uniform within `1 / sqrt(in)`, as PEFT's `kaiming_uniform_(a=sqrt(5))`; `B` is zero.
    pub fn initialize(
        options: LoraOptions,
        targets: &[Target],
        config: &ChatGlmConfig,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let r = options.r;
        let mut weights = BTreeMap::new();
        for layer in 0..config.num_layers {
            for &target in targets {
                let (n_out, n_in) = target.shape(config);
                let bound = 1.0 / (n_in as f32).sqrt();
                let a =
                    (0..r * n_in).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>();
                let a = Tensor::from_vec(a, (r, n_in), device)?;
                let b = Tensor::zeros((n_out, r), DType::F32, device)?;
                weights.insert((layer, target), LoraWeights { a, b });
            }
        }
        Ok(Self { options, weights })
    }

    /// Makes every weight a variable that learns; gives them by PEFT's names.
    pub fn make_trainable(&mut self) -> Result<Vec<(String, Var)>> {
        let mut variables = Vec::new();
        for (&(layer, target), weights) in &mut self.weights {
            for (part, tensor) in [(Part::A, &mut weights.a), (Part::B, &mut weights.b)] {
                let variable = Var::from_tensor(tensor)?;
                *tensor = variable.as_tensor().clone();
                variables.push((names::published(layer, target, part), variable));
            }
        }
        Ok(variables)
    }

    pub fn options(&self) -> &LoraOptions {
        &self.options
    }

    /// What the update is multiplied with.
    pub fn scale(&self) -> f64 {
        let r = self.options.r as f64;
        self.options.alpha / if self.options.use_rslora { r.sqrt() } else { r }
    }

    /// Share of the inputs dropped in training.
    pub fn dropout(&self) -> f32 {
        self.options.dropout
    }

    /// Rank of the update of one linear layer; 0 without one.
    pub fn rank_of(&self, layer: usize, target: Target) -> usize {
        self.weights(layer, target).map_or(0, |_| self.options.r)
    }

    /// The update of one linear layer, if it has one.
    pub fn weights(&self, layer: usize, target: Target) -> Option<&LoraWeights> {
        self.weights.get(&(layer, target))
    }

    /// Every update, in the model's order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Target, &LoraWeights)> {
        self.weights.iter().map(|(&(layer, target), weights)| (layer, target, weights))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_stabilized_scaling_divides_by_the_root() {
        let scale = |use_rslora| {
            let options = LoraOptions { r: 16, alpha: 32.0, use_rslora, ..Default::default() };
            Adapter::new(options, BTreeMap::new()).scale()
        };

        assert_eq!([scale(false), scale(true)], [2.0, 8.0]);
    }
}
