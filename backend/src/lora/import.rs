//! State dicts of LoRA weights, as `torch.save` wrote them in 2023: `chatglm-6b-lora.pt`.
//!
//! Early PEFT (0.2, March 2023) put a `MergedLinear` where a configuration had one target module, as the tutorial's
//! has. It updates only the first and last third of `query_key_value`'s rows, each from its own half of `lora_A`.
//! Such an update is exactly one of twice the rank, most of whose `B` is zero; so it is read as that.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use candle_core::{DType, Tensor};
use weft_shared::training::LoraOptions;

use super::{
    Adapter, LoraWeights, Target,
    names::{self, Part},
};
use crate::checkpoint::{self, CheckpointError};

/// What a state dict does not hold: what its adapter was trained with.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportOptions {
    pub lora_alpha: f64,
    pub lora_dropout: f32,
}

impl Default for ImportOptions {
    /// The tutorial's values.
    fn default() -> Self {
        let LoraOptions { alpha, dropout, .. } = LoraOptions::default();
        Self { lora_alpha: alpha, lora_dropout: dropout }
    }
}

/// The form that a state dict's updates had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `A` `[r, in]` and `B` `[out, r]`: taken as they are.
    Plain,
    /// PEFT 0.2's `MergedLinear` with `enable_lora=[True, False, True]`: turned into rank `2 * r`, alpha `2 * alpha`.
    MergedLinear,
}

/// An adapter, and the form it was read from.
#[derive(Clone, Debug)]
pub struct Imported {
    pub adapter: Adapter,
    pub layout: Layout,
}

/// Why a state dict is no adapter.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Pickle(#[from] CheckpointError),
    #[error("{path} cannot be imported")]
    Tensors {
        path: PathBuf,
        #[source]
        source: StateDictError,
    },
}

/// Why tensors are not the updates of one adapter.
#[derive(Debug, thiserror::Error)]
pub enum StateDictError {
    #[error("it holds no tensors")]
    Empty,
    #[error(
        "the tensor {name} is no LoRA weight of a ChatGLM-6B; a state dict of LoRA weights holds nothing but tensors \
         such as transformer.layers.0.attention.query_key_value.lora_A.weight"
    )]
    Unknown { name: String },
    #[error("the tensor {name} is there twice, under two names")]
    Twice { name: String },
    #[error("the tensor {name} is missing")]
    Missing { name: String },
    #[error(
        "{module}: lora_A has shape {a:?} and lora_B {b:?}; wanted [r, in] and [out, r], or of PEFT's MergedLinear of \
         2023 with two of three parts enabled [2 r, in] and [2 in, r, 1]"
    )]
    Shapes { module: String, a: Vec<usize>, b: Vec<usize> },
    #[error("the adapter of {module} has r {found}, those before it {wanted}")]
    Rank { module: String, wanted: usize, found: usize },
    #[error("some updates are of PEFT's MergedLinear of 2023 and that of {module} is not")]
    Mixed { module: String },
    #[error("the weights could not be copied")]
    Copy(#[from] candle_core::Error),
}

/// Reads what `torch.save` wrote to `path`.
pub fn import(path: &Path, options: &ImportOptions) -> Result<Imported, ImportError> {
    let tensors = checkpoint::read_state_dict(path)?;
    from_state_dict(tensors, options)
        .map_err(|source| ImportError::Tensors { path: path.to_owned(), source })
}

/// The adapter of tensors by name.
pub fn from_state_dict(
    tensors: BTreeMap<String, Tensor>,
    options: &ImportOptions,
) -> Result<Imported, StateDictError> {
    let mut parts = BTreeMap::new();
    for (name, tensor) in tensors {
        let Some(place) = names::parse(&name) else {
            return Err(StateDictError::Unknown { name });
        };
        if parts.insert(place, tensor.to_dtype(DType::F32)?).is_some() {
            return Err(StateDictError::Twice { name });
        }
    }
    let depth = parts.keys().map(|place| place.0 + 1).max().ok_or(StateDictError::Empty)?;
    let mut targets: Vec<Target> = parts.keys().map(|place| place.1).collect();
    targets.sort_unstable();
    targets.dedup();

    let mut weights = BTreeMap::new();
    let mut first = None;
    for (layer, target) in (0..depth).flat_map(|layer| targets.iter().map(move |&it| (layer, it))) {
        let mut take = |part| {
            let missing =
                || StateDictError::Missing { name: names::published(layer, target, part) };
            parts.remove(&(layer, target, part)).ok_or_else(missing)
        };
        let (layout, update) = update(target, layer, &take(Part::A)?, &take(Part::B)?)?;
        let (module, r) = (target.module(layer), update.a.dims()[0]);
        match *first.get_or_insert((layout, r)) {
            (first, _) if first != layout => return Err(StateDictError::Mixed { module }),
            (_, wanted) if wanted != r => {
                return Err(StateDictError::Rank { module, wanted, found: r });
            }
            _ => weights.insert((layer, target), update),
        };
    }
    let (layout, r) = first.ok_or(StateDictError::Empty)?;
    let options = LoraOptions {
        r,
        // The scale alpha / r must stay as it was.
        alpha: options.lora_alpha * if layout == Layout::MergedLinear { 2.0 } else { 1.0 },
        dropout: options.lora_dropout,
        target_modules: targets.iter().map(|it| it.name().to_owned()).collect(),
        use_rslora: false,
    };
    Ok(Imported { adapter: Adapter::new(options, weights), layout })
}

/// One update, and the form it had.
fn update(
    target: Target,
    layer: usize,
    a: &Tensor,
    b: &Tensor,
) -> Result<(Layout, LoraWeights), StateDictError> {
    match (target, a.dims(), b.dims()) {
        (_, &[r, _], &[_, r_of_b]) if r == r_of_b && r > 0 => {
            Ok((Layout::Plain, LoraWeights { a: a.clone(), b: b.clone() }))
        }
        // loralib's own MergedLinear leaves out the convolution's last axis.
        (Target::QueryKeyValue, &[double_r, n_in], &[rows, r] | &[rows, r, 1])
            if double_r == 2 * r && rows == 2 * n_in && r > 0 =>
        {
            let b = b.reshape((rows, r))?;
            Ok((Layout::MergedLinear, LoraWeights { a: a.clone(), b: spread(&b, n_in, r)? }))
        }
        (_, a, b) => {
            let module = target.module(layer);
            Err(StateDictError::Shapes { module, a: a.to_vec(), b: b.to_vec() })
        }
    }
}

/// The `B` `[3 * n, 2 * r]` of a grouped convolution's `[2 * n, r]`: its first half reads the first `r` rows of `A`
/// for the first `n` outputs, its second half the others for the last `n`; those between get nothing.
fn spread(b: &Tensor, n: usize, r: usize) -> candle_core::Result<Tensor> {
    let zeros = |rows| Tensor::zeros((rows, r), b.dtype(), b.device());
    let first = Tensor::cat(&[b.narrow(0, 0, n)?, zeros(2 * n)?], 0)?; // [3 n, r]
    let second = Tensor::cat(&[zeros(2 * n)?, b.narrow(0, n, n)?], 0)?;
    Tensor::cat(&[first, second], 1)
}
