//! A model all of whose weights learn.

use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Result, Tensor, Var};

use super::{ChatGlm, ChatGlmConfig};
use crate::ops;

/// A model, and the weights that move.
#[derive(Debug)]
pub struct Trainable {
    pub model: ChatGlm,
    /// Published name and weight, f32.
    pub parameters: Vec<(String, Var)>,
    /// What the model computes with instead, in half precision, in the order of the parameters.
    pub copies: Option<Vec<Tensor>>,
}

impl Trainable {
    /// Asks `weights` for every tensor of the published form, f32 on the device to compute on. On a GPU the model computes
    /// with copies in `dtype`, where that is half of f32 and the kernels can compute this shape.
    pub fn load(
        config: ChatGlmConfig,
        dtype: DType,
        weights: &dyn Fn(&str, &[usize]) -> Result<Tensor>,
    ) -> Result<Self> {
        let fits = ops::GPU_HEADS.contains(&config.head_dim());
        let learned = Mutex::new((Vec::new(), Vec::new()));
        let load = |name: &str, shape: &[usize]| -> Result<Tensor> {
            let tensor = weights(name, shape)?;
            let parameter = Var::from_tensor(&tensor)?;
            let mut learned = learned.lock().unwrap_or_else(PoisonError::into_inner);
            let (parameters, copies): &mut (Vec<(String, Var)>, Vec<Tensor>) = &mut learned;
            let half = fits && dtype != DType::F32 && tensor.device().is_cuda();
            let weight = match half {
                // The embedding comes first, and the tape needs something that learns to begin at.
                true if parameters.is_empty() => {
                    Var::from_tensor(&tensor.to_dtype(dtype)?)?.as_tensor().clone()
                }
                true => tensor.to_dtype(dtype)?,
                false => parameter.as_tensor().clone(),
            };
            parameters.push((name.to_owned(), parameter));
            if half {
                copies.push(weight.clone());
            }
            Ok(weight)
        };
        let model = ChatGlm::load(config, &load)?;
        let (parameters, copies) = learned.into_inner().unwrap_or_else(PoisonError::into_inner);
        let copies = (!copies.is_empty()).then_some(copies);
        Ok(Self { model, parameters, copies })
    }
}
