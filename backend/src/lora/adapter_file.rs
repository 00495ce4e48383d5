//! An adapter in PEFT's form: a folder with `adapter_config.json` and `adapter_model.safetensors`.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use weft_shared::training::LoraOptions;

use super::{
    Adapter, ConfigError, LoraConfig, LoraWeights, Target,
    names::{self, Part},
};
use crate::{
    atomic::{self, WriteError},
    chatglm::ChatGlmConfig,
    checkpoint::{self, CheckpointError},
};

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
const PICKLED_WEIGHTS: &str = "adapter_model.bin";
const CARD: &str = "README.md";

/// Why an adapter cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    #[error("{0} is no adapter: it has no {CONFIG}")]
    NoConfig(PathBuf),
    #[error("{0} has no weights: neither {WEIGHTS} nor {PICKLED_WEIGHTS}")]
    NoWeights(PathBuf),
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} cannot be used")]
    Config {
        path: PathBuf,
        #[source]
        source: ConfigError,
    },
    #[error("{path} cannot be used")]
    Weights {
        path: PathBuf,
        #[source]
        source: WeightsError,
    },
    #[error(transparent)]
    Pickle(#[from] CheckpointError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the adapter's weights could not be copied")]
    Copy(#[from] candle_core::Error),
}

/// Why tensors are not the adapter that a configuration describes, or do not fit a model.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("it is truncated or damaged")]
    Damaged(#[source] safetensors::SafeTensorError),
    #[error("the tensor {name} is of no linear layer of a ChatGLM-6B")]
    Unknown { name: String },
    #[error("the tensor {name} is there twice, under two names")]
    Twice { name: String },
    #[error("the tensor {name} holds {found}, wanted f32, f16 or bf16")]
    Type { name: String, found: String },
    #[error("the tensor {name} has shape {found:?}, wanted {wanted}")]
    Shape { name: String, wanted: String, found: Vec<usize> },
    #[error("the tensor {name} is missing")]
    Missing { name: String },
    #[error("the tensor {name} is there, but target_modules names {targets} alone")]
    NotATarget { name: String, targets: String },
    #[error("the tensor {name} is of layer {layer}, and the model has {layers}")]
    NoSuchLayer { name: String, layer: usize, layers: usize },
    #[error("target_modules names no linear layer of the model: {0}")]
    NoTarget(String),
    #[error("the tensor {name} could not be copied")]
    Copy {
        name: String,
        #[source]
        source: candle_core::Error,
    },
}

/// An adapter as it was read, f32, not yet held to a model.
#[derive(Clone, Debug)]
pub struct AdapterParts {
    pub config: LoraConfig,
    weights: BTreeMap<(usize, Target), LoraWeights>,
}

/// [`AdapterParts`] with the path that errors name.
#[derive(Clone, Debug)]
pub struct AdapterFile {
    path: PathBuf,
    pub parts: AdapterParts,
}

impl AdapterFile {
    /// Reads the folder `dir`.
    pub fn read(dir: &Path) -> Result<Self, AdapterError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| AdapterError::Read { path: path.to_owned(), source })
        };
        let path = dir.join(CONFIG);
        if !path.exists() {
            return Err(AdapterError::NoConfig(dir.to_owned()));
        }
        let config = LoraConfig::from_json(&read(&path)?)
            .map_err(|source| AdapterError::Config { path, source })?;

        let (file, pickled) = (dir.join(WEIGHTS), dir.join(PICKLED_WEIGHTS));
        let (path, tensors) = if file.exists() {
            let tensors = tensors(&read(&file)?);
            (file, tensors)
        } else if pickled.exists() {
            let tensors = checkpoint::read_state_dict(&pickled)?;
            (pickled, Ok(tensors))
        } else {
            return Err(AdapterError::NoWeights(dir.to_owned()));
        };
        match tensors.and_then(|tensors| AdapterParts::new(config, tensors)) {
            Ok(parts) => Ok(Self { path, parts }),
            Err(source) => Err(AdapterError::Weights { path, source }),
        }
    }

    /// Where the weights are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The adapter, if it fits a model of this configuration.
    pub fn adapter(
        &self,
        config: &ChatGlmConfig,
        device: &Device,
    ) -> Result<Adapter, AdapterError> {
        self.parts
            .adapter(config, device)
            .map_err(|source| AdapterError::Weights { path: self.path.clone(), source })
    }
}

impl AdapterParts {
    /// Reads the bytes of `adapter_model.safetensors`.
    pub fn from_bytes(config: LoraConfig, safetensors: &[u8]) -> Result<Self, WeightsError> {
        Self::new(config, tensors(safetensors)?)
    }

    /// Sorts `tensors` by layer and target; each must be there once, with its partner, and have the rank `r`.
    pub fn new(
        config: LoraConfig,
        tensors: BTreeMap<String, Tensor>,
    ) -> Result<Self, WeightsError> {
        let mut parts = BTreeMap::new();
        for (name, tensor) in tensors {
            let Some(place) = names::parse(&name) else {
                return Err(WeightsError::Unknown { name });
            };
            let rank_axis = usize::from(place.2 == Part::B);
            if tensor.rank() != 2 || tensor.dims()[rank_axis] != config.r {
                let r = config.r;
                let wanted =
                    if rank_axis == 0 { format!("[{r}, in]") } else { format!("[out, {r}]") };
                return Err(WeightsError::Shape { name, wanted, found: tensor.dims().to_vec() });
            }
            let f32 = match tensor.dtype() {
                DType::F32 | DType::F16 | DType::BF16 | DType::F64 => tensor.to_dtype(DType::F32),
                other => return Err(WeightsError::Type { name, found: other.as_str().to_owned() }),
            };
            let tensor = f32.map_err(|source| WeightsError::Copy { name: name.clone(), source })?;
            if parts.insert(place, tensor).is_some() {
                return Err(WeightsError::Twice { name });
            }
        }
        let places = parts.keys().map(|&(layer, target, _)| (layer, target));
        let places: Vec<_> = places.collect();
        let mut weights = BTreeMap::new();
        for (layer, target) in places {
            if weights.contains_key(&(layer, target)) {
                continue;
            }
            let mut take = |part| {
                let missing =
                    || WeightsError::Missing { name: names::published(layer, target, part) };
                parts.remove(&(layer, target, part)).ok_or_else(missing)
            };
            weights.insert((layer, target), LoraWeights { a: take(Part::A)?, b: take(Part::B)? });
        }
        Ok(Self { config, weights })
    }

    /// Every update, by layer and target.
    pub fn weights(&self) -> &BTreeMap<(usize, Target), LoraWeights> {
        &self.weights
    }

    /// Linear layers that are updated, each once.
    pub fn targets(&self) -> Vec<Target> {
        let mut targets: Vec<_> = self.weights.keys().map(|&(_, target)| target).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// What the adapter was made with.
    pub fn options(&self) -> LoraOptions {
        LoraOptions {
            r: self.config.r,
            alpha: self.config.alpha,
            dropout: self.config.dropout,
            target_modules: self.targets().iter().map(|it| it.name().to_owned()).collect(),
            use_rslora: self.config.use_rslora,
        }
    }

    /// The adapter, if every module that the configuration names has an update of the right shape, and no other.
    pub fn adapter(
        &self,
        config: &ChatGlmConfig,
        device: &Device,
    ) -> Result<Adapter, WeightsError> {
        if let Some(&(layer, target)) = self.weights.keys().find(|it| it.0 >= config.num_layers) {
            let (name, layers) = (names::published(layer, target, Part::A), config.num_layers);
            return Err(WeightsError::NoSuchLayer { name, layer, layers });
        }
        let mut weights = BTreeMap::new();
        for (layer, target) in
            (0..config.num_layers).flat_map(|layer| Target::ALL.map(|target| (layer, target)))
        {
            let name = |part| names::published(layer, target, part);
            let update = self.weights.get(&(layer, target));
            let update = match (self.config.target_modules.matches(&target.module(layer)), update) {
                (true, Some(update)) => update,
                (true, None) => return Err(WeightsError::Missing { name: name(Part::A) }),
                (false, None) => continue,
                (false, Some(_)) => {
                    let targets = self.config.target_modules.to_string();
                    return Err(WeightsError::NotATarget { name: name(Part::A), targets });
                }
            };
            let (n_out, n_in) = target.shape(config);
            let place = |part, tensor: &Tensor, wanted: [usize; 2]| {
                if tensor.dims() != wanted {
                    let (wanted, found) = (format!("{wanted:?}"), tensor.dims().to_vec());
                    return Err(WeightsError::Shape { name: name(part), wanted, found });
                }
                let copied = tensor.to_device(device);
                copied.map_err(|source| WeightsError::Copy { name: name(part), source })
            };
            let a = place(Part::A, &update.a, [self.config.r, n_in])?;
            let b = place(Part::B, &update.b, [n_out, self.config.r])?;
            weights.insert((layer, target), LoraWeights { a, b });
        }
        if weights.is_empty() {
            return Err(WeightsError::NoTarget(self.config.target_modules.to_string()));
        }
        Ok(Adapter::new(self.options(), weights))
    }
}

impl Adapter {
    /// Reads the folder `dir` and holds it to a model of this configuration.
    pub fn read(dir: &Path, config: &ChatGlmConfig, device: &Device) -> Result<Self, AdapterError> {
        AdapterFile::read(dir)?.adapter(config, device)
    }

    /// Writes the adapter into the folder `dir`, which may hold other files. `base` is the model it was trained for.
    pub fn save(&self, dir: &Path, base: &Path) -> Result<(), AdapterError> {
        let config = LoraConfig::new(self.options(), base);
        let mut tensors = Vec::new();
        for (layer, target, weights) in self.iter() {
            for (part, tensor) in [(Part::A, &weights.a), (Part::B, &weights.b)] {
                tensors.push((names::published(layer, target, part), tensor.contiguous()?));
            }
        }
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let path = dir.join(WEIGHTS);
        let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|error| {
            let source = io::Error::other(error);
            WriteError { path: path.clone(), source }
        })?;
        atomic::write_file(&path, &bytes)?;
        atomic::write_file(&dir.join(CARD), card(&config).as_bytes())?;
        // Last, since a folder without it is no adapter.
        atomic::write_file(&dir.join(CONFIG), config.to_json().as_bytes())?;
        Ok(())
    }
}

/// The model card that hubs show.
fn card(config: &LoraConfig) -> String {
    let LoraConfig { r, alpha, dropout, target_modules, use_rslora, .. } = config;
    let base = config.base_model.as_deref().unwrap_or("ChatGLM-6B");
    // A JSON text is a YAML text.
    let quoted = serde_json::Value::from(base);
    let kind = if *use_rslora { "rank-stabilized LoRA" } else { "LoRA" };
    format!(
        "---\nbase_model: {quoted}\nlibrary_name: peft\ntags:\n- lora\n- weft\n---\n\n\
         # {kind} adapter for {base}\n\n\
         r {r}, alpha {alpha}, dropout {dropout}, target modules: {target_modules}. Trained with Weft {}.\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// The tensors of a safetensors file, on the CPU.
fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, WeightsError> {
    let file = SafeTensors::deserialize(bytes).map_err(WeightsError::Damaged)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let dtype = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F64 => DType::F64,
            other => {
                let found = format!("{other:?}").to_lowercase();
                return Err(WeightsError::Type { name: name.to_owned(), found });
            }
        };
        let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)
            .map_err(|source| WeightsError::Copy { name: name.to_owned(), source })?;
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(tensors)
}
