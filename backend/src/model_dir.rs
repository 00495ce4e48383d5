//! A folder with a model in the published form: configuration, vocabulary, weights.

pub mod progress;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use candle_core::{DType, Device, Tensor};
use sha2::{Digest as _, Sha256};
use weft_shared::tokenizer::{ChatGlmTokenizer, TokenizerError};

use crate::{
    atomic::{self, WriteError},
    chatglm::{ChatGlm, ChatGlmConfig, ConfigError, Trainable, WeightSource, parameters},
    checkpoint::{Checkpoint, CheckpointError, Loader, Watch},
    device::WeightFormat,
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
