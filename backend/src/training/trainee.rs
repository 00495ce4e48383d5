//! What a run trains: a model, maybe an adapter, and the weights that learn.

use std::path::{Path, PathBuf};

use candle_core::{Result, Tensor, Var, backprop::GradStore};

use super::{
    CheckpointError, GradientCheckpointing, batch::TrainingBatch, checkpoint::save_tensors,
};
use crate::{
    chatglm::{ChatGlm, Pass, Trainable},
    lora::Adapter,
    model_dir,
    ops::{self, Learned, OptimizerState, WeightGradients},
};

/// A model whose `parameters` learn; everything else is frozen.
pub struct Trainee {
    pub model: ChatGlm,
    pub adapter: Option<Adapter>,
    /// The base model as it was named, or for full training the folder it was loaded from.
    base: PathBuf,
    /// Published (or PEFT's) name and weight, in a fixed order.
    pub parameters: Vec<(String, Var)>,
    pub gradient_checkpointing: GradientCheckpointing,
    /// What the model computes with instead of the parameters, in half precision: of each, in their order.
    copies: Option<Vec<Tensor>>,
    /// Where a GPU's ops put the gradients that do not go over candle's tape.
    gradients: WeightGradients,
}

impl Trainee {
    /// A frozen model with an adapter that learns.
    pub fn lora(model: ChatGlm, mut adapter: Adapter, base: PathBuf) -> Result<Self> {
        let parameters = adapter.make_trainable()?;
        let adapter = Some(adapter);
        Ok(Self {
            model,
            adapter,
            base,
            parameters,
            gradient_checkpointing: GradientCheckpointing::default(),
            copies: None,
            gradients: WeightGradients::default(),
        })
    }

    /// A model all of whose weights learn.
    pub fn full(trainable: Trainable, base: PathBuf) -> Self {
        let Trainable { model, parameters, copies } = trainable;
        Self {
            model,
            adapter: None,
            base,
            parameters,
            gradient_checkpointing: GradientCheckpointing::Off,
            copies,
            gradients: WeightGradients::default(),
        }
    }

    /// Where [`Self::save`] puts the weights that learn.
    pub(super) fn weights_file(&self) -> &'static str {
        if self.adapter.is_some() { "adapter_model.safetensors" } else { "model.safetensors" }
    }

    /// Writes an adapter in PEFT's form, or the whole model in the published one, into the folder `dir`.
    pub(super) fn save(&self, dir: &Path) -> std::result::Result<(), CheckpointError> {
        if let Some(adapter) = &self.adapter {
            return Ok(adapter.save(dir, &self.base)?);
        }
        let weights = self.parameters.iter();
        let weights = weights.map(|(name, it)| (name.clone(), it.as_tensor().clone())).collect();
        save_tensors(&dir.join(self.weights_file()), weights)?;
        Ok(model_dir::copy_companions(&self.base, dir)?)
    }

    /// Mean loss over the label tokens of `batch`, in nats. `dropout_seed` is given in training only.
    pub fn loss(&self, batch: &TrainingBatch, dropout_seed: Option<u64>) -> Result<Tensor> {
        let adapter = self.adapter.as_ref();
        let checkpoint = match adapter {
            Some(adapter) if dropout_seed.is_some() => {
                self.gradient_checkpointing.applies(&self.model, batch.tokens(), adapter)?
            }
            _ => false,
        };
        // Without an adapter or copies the weights themselves are on the tape.
        let gradients = (adapter.is_some() || self.copies.is_some()).then_some(&self.gradients);
        let pass = Pass { adapter, dropout_seed, checkpoint, gradients };
        let hidden = self.model.hidden_states(&batch.input, pass)?; // [batch, seq, model]
        let rows = ops::select_rows(&hidden.flatten(0, 1)?, &batch.label_rows)?; // [rows, model]
        self.model.loss(&rows, &batch.targets, pass)
    }

    /// Number of weights that learn.
    pub fn trainable_parameters(&self) -> usize {
        self.parameters.iter().map(|(_, weight)| weight.elem_count()).sum()
    }

    /// The gradients of a process that computed nothing.
    pub(super) fn no_gradients(&self) -> Result<Vec<Tensor>> {
        self.parameters.iter().map(|(_, weight)| weight.zeros_like()).collect()
    }

    /// `loss`, on no tape any more, and the gradients of what `state` makes of it ([`Self::take_gradients`]).
    ///
    /// The tape goes when this returns, while a GPU still computes: freeing what it kept takes a millisecond.
    pub fn backward(&self, loss: Tensor, state: &OptimizerState) -> Result<(Tensor, Vec<Tensor>)> {
        let gradients = self.take_gradients(state.scaled(&loss)?.backward()?)?;
        Ok((loss.detach(), gradients))
    }

    /// The gradient of each parameter, in their order.
    pub fn take_gradients(&self, mut from: GradStore) -> Result<Vec<Tensor>> {
        let mut gradient = |index: usize, weight: &Var| {
            let computed_with = self.copies.as_ref().map_or(weight.as_tensor(), |all| &all[index]);
            self.gradients.take(computed_with).or_else(|| from.remove(weight))
        };
        let numbered = self.parameters.iter().enumerate();
        numbered
            .map(|(index, (name, weight))| {
                gradient(index, weight).ok_or_else(|| {
                    candle_core::Error::Msg(format!("no gradient reached {name}")).bt()
                })
            })
            .collect()
    }

    /// Makes what the model computes with equal to what has been learned.
    pub(super) fn round_copies(&self) -> Result<()> {
        let Some(copies) = &self.copies else {
            return Ok(());
        };
        let pairs = self.parameters.iter().zip(copies);
        let pairs: Vec<Learned> =
            pairs.map(|((_, weight), copy)| Learned { weight, copy }).collect();
        ops::round_copies(&pairs)
    }
}
