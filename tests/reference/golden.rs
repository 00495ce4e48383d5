//! The reference's numbers, and the model that they belong to.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use candle_core::{DType, Tensor, safetensors::SliceSafetensors};
use serde::Deserialize;
use weft::{
    chatglm::ChatGlm,
    lora::{Adapter, LoraWeights, Target},
    model_dir::ModelDir,
};
use weft_shared::{
    sample::{PositionIds, Sample},
    tokenizer::SpecialIds,
    training::LoraOptions,
};

/// `golden.json` of one model.
#[derive(Deserialize)]
pub(crate) struct Golden {
    pub(crate) special: Special,
    pub(crate) samples: Vec<GoldenSample>,
    pub(crate) logit_columns: Vec<u32>,
    pub(crate) mask_sample: MaskSample,
    pub(crate) lora_loss0: f64,
    pub(crate) lora_train: LoraTrain,
    pub(crate) generate: Vec<Generate>,
}

#[derive(Deserialize)]
pub(crate) struct Special {
    bos: u32,
    eop: u32,
    gmask: u32,
    mask: u32,
    pad: u32,
}

#[derive(Deserialize)]
pub(crate) struct GoldenSample {
    pub(crate) input_ids: Vec<u32>,
    pub(crate) labels: Vec<i64>,
    pub(crate) position_ids: PositionIds,
    pub(crate) context_len: usize,
    pub(crate) loss_f32: f64,
}

#[derive(Deserialize)]
pub(crate) struct MaskSample {
    pub(crate) input_ids: Vec<u32>,
    pub(crate) position_ids: PositionIds,
    pub(crate) context_len: usize,
}

#[derive(Deserialize)]
pub(crate) struct LoraTrain {
    pub(crate) r: usize,
    pub(crate) alpha: f64,
    pub(crate) lr: f64,
    pub(crate) max_grad_norm: f64,
    pub(crate) steps: usize,
    pub(crate) loss_and_grad_norm: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
pub(crate) struct Generate {
    pub(crate) prompt_ids: Vec<u32>,
    pub(crate) greedy_ids: Vec<u32>,
}

impl GoldenSample {
    pub(crate) fn sample(&self) -> Sample {
        Sample {
            input_ids: self.input_ids.clone(),
            labels: self.labels.clone(),
            position_ids: self.position_ids.clone(),
            context_length: self.context_len,
        }
    }
}

impl MaskSample {
    /// Nothing is learned of it: only its logits are compared.
    pub(crate) fn sample(&self) -> Sample {
        Sample {
            input_ids: self.input_ids.clone(),
            labels: self.input_ids.iter().map(|&id| i64::from(id)).collect(),
            position_ids: self.position_ids.clone(),
            context_length: self.context_len,
        }
    }
}

/// One model of the reference data.
pub(crate) struct Reference {
    pub(crate) name: &'static str,
    pub(crate) golden: Golden,
    pub(crate) tensors: HashMap<String, Tensor>,
    pub(crate) model: ChatGlm,
}

impl Reference {
    /// `mini`, and where the reference data is, both tiny models.
    pub(crate) fn all() -> Vec<Self> {
        let mut found = vec![Self::read("mini", &weft_tests::fixture("mini"))];
        if let Some(reference) = weft_tests::reference() {
            for name in ["tiny_096f3de", "tiny_main"] {
                found.push(Self::read(name, &reference.join(name)));
            }
        }
        found
    }

    fn read(name: &'static str, dir: &Path) -> Self {
        let golden = serde_json::from_slice(&fs::read(dir.join("golden.json")).unwrap()).unwrap();
        let bytes = fs::read(dir.join("golden.safetensors")).unwrap();
        let file = SliceSafetensors::new(&bytes).unwrap();
        let tensors = file
            .tensors()
            .into_iter()
            .filter(|(_, view)| view.dtype() == safetensors::Dtype::F32)
            .map(|(name, _)| (name.clone(), file.load(&name, weft_tests::device()).unwrap()))
            .collect();
        let model = ModelDir::open(&dir.join("checkpoint")).unwrap();
        let model = model.load(DType::F32, weft_tests::device()).unwrap();
        Self { name, golden, tensors, model }
    }

    pub(crate) fn special_ids(&self) -> SpecialIds {
        let Special { bos, eop, gmask, mask, pad } = self.golden.special;
        SpecialIds { mask, gmask, sop: bos, eop, pad }
    }

    /// The adapter that the reference trained from, without dropout.
    pub(crate) fn first_adapter(&self) -> Adapter {
        let LoraTrain { r, alpha, .. } = self.golden.lora_train;
        let options = LoraOptions { r, alpha, dropout: 0.0, ..Default::default() };
        let target = Target::QueryKeyValue;
        let weights: BTreeMap<_, _> = (0..self.model.config().num_layers)
            .map(|layer| {
                let part = |part: &str| {
                    let module = target.module(layer);
                    self.tensors[&format!("lora_init.base_model.model.{module}.{part}.weight")]
                        .clone()
                };
                ((layer, target), LoraWeights { a: part("lora_A"), b: part("lora_B") })
            })
            .collect();
        Adapter::new(options, weights)
    }

    /// Fails unless `found` is within `bound` of the reference's tensor, relative to its largest value.
    #[track_caller]
    pub(crate) fn assert_close(&self, found: &Tensor, wanted: &str, bound: f64) {
        let name = self.name;
        let wanted_tensor = &self.tensors[wanted];
        assert_eq!(found.dims(), wanted_tensor.dims(), "{name}: {wanted}");
        let largest = |tensor: &Tensor| {
            f64::from(tensor.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap())
        };
        let gap = largest(&(found - wanted_tensor).unwrap()) / largest(wanted_tensor);
        assert!(
            gap <= bound,
            "{name}: {wanted} is off by {gap:.2e} of its largest value, bound {bound:.0e}"
        );
    }
}

/// Fails unless `found` is within `bound` of `wanted`, relative to it.
#[track_caller]
pub(crate) fn assert_near(what: &str, found: f64, wanted: f64, bound: f64) {
    let gap = (found - wanted).abs() / wanted.abs();
    assert!(
        gap <= bound,
        "{what}: wanted {wanted}, found {found}, off by {gap:.2e}, bound {bound:.0e}"
    );
}
