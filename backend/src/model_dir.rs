//! A folder with a model in the published form: configuration, vocabulary, weights.

pub mod progress;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use candle_core::{DType, Device, Tensor};
use sha2::{Digest as _, Sha256};
use weft_shared::{
    bytes::Bytes,
    tokenizer::{ChatGlmTokenizer, TokenizerError},
};

use crate::{
    atomic::{self, WriteError},
    chatglm::{ChatGlm, ChatGlmConfig, ConfigError, Trainable, WeightSource, parameters},
    checkpoint::{Checkpoint, CheckpointError, Loader, Watch},
    device::{WeightFormat, memory, name_of},
    estimate::model_bytes,
    ops::{Quantization, QuantizedWeight, Weight},
};

const CONFIG: &str = "config.json";
const VOCABULARY: &str = "ice_text.model";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";

/// Why a model folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelDirError {
    #[error("cannot read {path}")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} is no configuration of a ChatGLM-6B")]
    Config {
        path: PathBuf,
        #[source]
        source: ConfigError,
    },
    #[error("{path} is no vocabulary of a ChatGLM-6B")]
    Tokenizer {
        path: PathBuf,
        #[source]
        source: TokenizerError,
    },
    #[error(
        "{path} has token ids up to {highest}, and the model's embedding only {rows} rows: the vocabulary belongs to \
         another model"
    )]
    OtherVocabulary { path: PathBuf, highest: usize, rows: usize },
    #[error(
        "{path} is published in {}, and {} was wanted: take the model that it was made from, or leave the choice to it",
        found.name(),
        wanted.name()
    )]
    OtherBits { path: PathBuf, found: Quantization, wanted: Quantization },
    #[error(
        "the weights of {path} take {} in {}, and {device} has {} free{}",
        Bytes(*needed),
        format.name(),
        Bytes(*free),
        smaller(instead)
    )]
    TooLarge {
        path: PathBuf,
        format: WeightFormat,
        needed: u64,
        device: String,
        free: u64,
        /// What would fit, with its bytes.
        instead: Vec<(WeightFormat, u64)>,
    },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the model's weights could not be loaded")]
    Load(#[from] candle_core::Error),
}

/// A model folder whose configuration has been read.
#[derive(Clone, Debug)]
pub struct ModelDir {
    path: PathBuf,
    config: ChatGlmConfig,
}

impl ModelDir {
    /// Reads and checks the configuration; weights and vocabulary are read when they are asked for.
    pub fn open(path: &Path) -> Result<Self, ModelDirError> {
        let file = path.join(CONFIG);
        let config = ChatGlmConfig::from_json(&read(&file)?)
            .map_err(|source| ModelDirError::Config { path: file, source })?;
        Ok(Self { path: path.to_owned(), config })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn config(&self) -> &ChatGlmConfig {
        &self.config
    }

    /// The vocabulary, checked to fit the embedding.
    pub fn tokenizer(&self) -> Result<ChatGlmTokenizer, ModelDirError> {
        let tokenizer = tokenizer(&self.path)?;
        let (highest, rows) = (tokenizer.vocab_size(), self.config.vocab_size);
        if highest > rows {
            let path = self.path.join(VOCABULARY);
            return Err(ModelDirError::OtherVocabulary { path, highest, rows });
        }
        Ok(tokenizer)
    }

    /// The model with frozen weights in `format`; those that are published in few bits stay as they are. What takes long
    /// is told to the log.
    pub fn load(
        &self,
        format: impl Into<WeightFormat>,
        device: &Device,
    ) -> Result<ChatGlm, ModelDirError> {
        self.load_watched(format, device, &progress::to_log())
    }

    /// The same, and `watch` is told how far it is.
    pub fn load_watched(
        &self,
        format: impl Into<WeightFormat>,
        device: &Device,
        watch: Watch,
    ) -> Result<ChatGlm, ModelDirError> {
        let format = format.into();
        if let (Some(found), Some(wanted)) = (self.config.quantization, format.quantization)
            && found != wanted
        {
            return Err(ModelDirError::OtherBits { path: self.path.clone(), found, wanted });
        }
        self.check_room(format, device)?;
        let checkpoint = Checkpoint::open(&self.path)?;
        let loader = Loader::new(&checkpoint, device, self.tensor_names(), watch);
        let weights = Published { loader, quantization: self.config.quantization, format };
        Ok(ChatGlm::load(self.config.clone(), &weights)?)
    }

    /// The model with weights that all learn, see [`Trainable::load`].
    pub fn load_trainable(
        &self,
        dtype: DType,
        device: &Device,
    ) -> Result<Trainable, ModelDirError> {
        let checkpoint = Checkpoint::open(&self.path)?;
        let watch = progress::to_log();
        let loader = Loader::new(&checkpoint, device, self.tensor_names(), &watch);
        let weights = |name: &str, shape: &[usize]| {
            loader.tensor(name, shape, DType::F32).map_err(candle_core::Error::wrap)
        };
        Ok(Trainable::load(self.config.clone(), dtype, &weights)?)
    }

    /// Whether the device has room for the weights in `format`. A processor's system may find some: its log is told.
    fn check_room(&self, format: WeightFormat, device: &Device) -> Result<(), ModelDirError> {
        match self.too_large(format, name_of(device), memory::available(device)) {
            Some(error) if device.is_cpu() => {
                tracing::warn!("{error}");
                Ok(())
            }
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// What there is to say if the weights in `format` are more than the `free` bytes of a device.
    fn too_large(&self, format: WeightFormat, device: String, free: u64) -> Option<ModelDirError> {
        let published = self.config.quantization;
        let format = WeightFormat { quantization: published.or(format.quantization), ..format };
        let bytes = |format| model_bytes(&self.config, format) as u64;
        let needed = bytes(format);
        // 0 where the system does not say.
        if free == 0 || needed <= free {
            return None;
        }
        let mut instead = Vec::new();
        if published.is_none() {
            let in_bits = |form| WeightFormat { quantization: Some(form), ..format };
            instead.extend(Quantization::ALL.map(in_bits).map(|format| (format, bytes(format))));
            instead.retain(|&(_, bytes)| bytes <= free);
        }
        let path = self.path.clone();
        Some(ModelDirError::TooLarge { path, format, needed, device, free, instead })
    }

    /// All that a model is read from, with the scales of what is published in few bits.
    fn tensor_names(&self) -> impl Iterator<Item = String> {
        let scales = self.config.quantization.is_some();
        parameters(&self.config).into_iter().flat_map(move |(name, _)| {
            let scale = scales.then(|| scale_of(&name));
            [Some(name), scale].into_iter().flatten()
        })
    }

    /// A digest of configuration and vocabulary: what an adapter or a dataset preview was made for.
    pub fn fingerprint(&self) -> Result<String, ModelDirError> {
        let mut hash = Sha256::new();
        hash.update(read(&self.path.join(CONFIG))?);
        hash.update(read(&self.path.join(VOCABULARY))?);
        Ok(format!("{:x}", hash.finalize()))
    }
}

/// The weights of a folder, one at a time: a matrix in few bits is never there in more than its own numbers.
struct Published<'a> {
    loader: Loader<'a>,
    /// How the folder keeps its matrices.
    quantization: Option<Quantization>,
    format: WeightFormat,
}

impl WeightSource for Published<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> candle_core::Result<Tensor> {
        self.loader.tensor(name, shape, self.format.dtype).map_err(candle_core::Error::wrap)
    }

    fn matrix(&self, name: &str, (n_out, n_in): (usize, usize)) -> candle_core::Result<Weight> {
        if let Some(form) = self.quantization {
            let shape = [n_out, n_in * form.bits() / 8];
            let integers = self.loader.integers(name, &shape).map_err(candle_core::Error::wrap)?;
            let scales = self.loader.tensor(&scale_of(name), &[n_out], DType::F16);
            let (scales, dtype) = (scales.map_err(candle_core::Error::wrap)?, self.format.dtype);
            return QuantizedWeight::new(form, integers, &scales, dtype).map(Weight::Quantized);
        }
        Weight::new(self.tensor(name, &[n_out, n_in])?, self.format.quantization)
    }
}

/// What fits, in words.
fn smaller(instead: &[(WeightFormat, u64)]) -> String {
    if instead.is_empty() {
        return String::new();
    }
    let each: Vec<String> = instead
        .iter()
        .map(|(format, bytes)| format!("{} in {}", Bytes(*bytes), format.name()))
        .collect();
    format!("; they would take {}", each.join(", "))
}

/// Where the scales of a matrix in few bits are.
fn scale_of(name: &str) -> String {
    format!("{name}_scale")
}

/// The tokenizer of a `.model` file, or of a model folder.
pub fn tokenizer(path: &Path) -> Result<ChatGlmTokenizer, ModelDirError> {
    let (file, config) = if path.is_dir() {
        let config = path.join(TOKENIZER_CONFIG);
        (path.join(VOCABULARY), if config.exists() { Some(read(&config)?) } else { None })
    } else {
        (path.to_owned(), None)
    };
    let bytes = read(&file)?;
    let read = ChatGlmTokenizer::from_bytes(&bytes);
    let configured = match config {
        Some(config) => read.and_then(|tokenizer| tokenizer.with_config(&config)),
        None => read,
    };
    configured.map_err(|source| ModelDirError::Tokenizer { path: file, source })
}

/// Copies configuration and vocabulary, as far as the model in `from` has them.
pub fn copy_companions(from: &Path, to: &Path) -> Result<(), WriteError> {
    for name in [CONFIG, TOKENIZER_CONFIG, VOCABULARY] {
        let file = from.join(name);
        if file.exists() {
            let copy = to.join(name);
            let bytes = fs::read(&file).map_err(WriteError::at(&copy))?;
            atomic::write_file(&copy, &bytes)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, ModelDirError> {
    fs::read(path).map_err(|source| ModelDirError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_do_not_fit_are_refused_with_what_would() {
        let config = ChatGlmConfig::of_shape(28, 4096, 32, 150_528);
        let model = ModelDir { path: "chatglm-6b".into(), config };
        let told = |free: u64| {
            let error = model.too_large(WeightFormat::F16, "cuda:0".to_owned(), free << 30);
            error.map(|it| it.to_string())
        };

        assert_eq!(told(12), None);
        assert_eq!(
            told(6).unwrap(),
            "the weights of chatglm-6b take 11.7 GiB in f16, and cuda:0 has 6.0 GiB free; they would take 3.8 GiB in \
             int4, 4.1 GiB in q4_0"
        );
        let nothing_fits = told(2).unwrap();
        assert!(nothing_fits.ends_with("cuda:0 has 2.0 GiB free"), "{nothing_fits}");
    }
}
