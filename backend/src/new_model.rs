//! A model that has learned nothing: random weights for a configuration, in the published form.

use std::{
    collections::HashMap,
    f32::consts::TAU,
    path::{Path, PathBuf},
};

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::tokenizer::{ChatGlmTokenizer, TokenizerError};

use crate::{
    atomic::{self, WriteError},
    chatglm::{ChatGlmConfig, ConfigError, parameters},
};

/// The usual standard deviation of such models.
pub const DEFAULT_STD: f32 = 0.02;

/// Why a new model could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NewModelError {
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    #[error("the vocabulary cannot be used")]
    Vocabulary(#[from] TokenizerError),
    #[error("the vocabulary has {pieces} pieces, and vocab_size is {rows}")]
    TooFewRows { pieces: usize, rows: usize },
    #[error("{0} exists already: choose another folder")]
    Exists(PathBuf),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the weights could not be made")]
    Compute(#[from] candle_core::Error),
}

/// Writes configuration, vocabulary and random weights to the folder `output`.
///
/// Matrices are normal with `std`; layer norms start as 1 and 0, biases as 0.
pub fn write(
    config_json: &[u8],
    vocabulary: &[u8],
    seed: u64,
    std: f32,
    output: &Path,
) -> Result<(), NewModelError> {
    if output.exists() {
        return Err(NewModelError::Exists(output.to_owned()));
    }
    let config = ChatGlmConfig::from_json(config_json)?;
    let pieces = ChatGlmTokenizer::from_bytes(vocabulary)?.vocab_size();
    let rows = config.vocab_size;
    if pieces > rows {
        return Err(NewModelError::TooFewRows { pieces, rows });
    }
    let weights = random_weights(&config, seed, std)?;
    atomic::write_dir(output, |unfinished| {
        atomic::write_file(&unfinished.join("config.json"), config_json)?;
        atomic::write_file(&unfinished.join("ice_text.model"), vocabulary)?;
        candle_core::safetensors::save(&weights, unfinished.join("model.safetensors"))?;
        Ok(())
    })
}

fn random_weights(
    config: &ChatGlmConfig,
    seed: u64,
    std: f32,
) -> candle_core::Result<HashMap<String, Tensor>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let weight = |(name, shape): (String, Vec<usize>)| {
        let size: usize = shape.iter().product();
        let values = match shape.len() {
            1 if name.ends_with("layernorm.weight") => vec![1.0; size],
            1 => vec![0.0; size],
            _ => (0..size).map(|_| std * normal(&mut rng)).collect(),
        };
        Ok((name, Tensor::from_vec(values, shape, &Device::Cpu)?))
    };
    parameters(config).into_iter().map(weight).collect()
}

/// A number of the standard normal distribution (Box and Muller 1958).
fn normal(rng: &mut impl Rng) -> f32 {
    let (radius, angle): (f32, f32) = (rng.random(), rng.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_model_of_the_wanted_spread() {
        let config = ChatGlmConfig::of_shape(1, 32, 2, 500);

        let weights = random_weights(&config, 7, 0.02).unwrap();
        let again = random_weights(&config, 7, 0.02).unwrap();

        let numbers = |of: &HashMap<String, Tensor>, name: &str| -> Vec<f32> {
            of[name].flatten_all().unwrap().to_vec1().unwrap()
        };
        let embedding = "transformer.word_embeddings.weight";
        assert_eq!(numbers(&weights, embedding), numbers(&again, embedding));
        let values = numbers(&weights, embedding);
        let squares: f32 = values.iter().map(|it| it * it).sum();
        let spread = (squares / values.len() as f32).sqrt();
        assert!((spread - 0.02).abs() < 0.001, "{spread}");
        assert_eq!(numbers(&weights, "transformer.final_layernorm.weight"), [1.0; 32]);
        assert_eq!(numbers(&weights, "transformer.layers.0.attention.dense.bias"), [0.0; 32]);
    }
}
