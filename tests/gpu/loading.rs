//! Weights from files: on the GPU they are what they are on the processor, to the bit.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor};
use weft::{
    chatglm::{ChatGlm, Input, Pass, WeightSource},
    checkpoint::{Checkpoint, Loader},
    device::WeightFormat,
    model_dir::ModelDir,
    ops::{AttentionMask, MaskRow, PositionIds, Quantization, Weight},
};
use weft_tests::fixture;

use crate::{gpu, random};

/// Numbers; a piece is 2^21 of f16.
const SIZES: [usize; 4] = [1, 4097, 1 << 21, (5 << 20) + 3];

fn bits(tensor: &Tensor) -> Vec<u32> {
    let exact = tensor.to_device(&Device::Cpu).unwrap().to_dtype(DType::F32).unwrap();
    let values = exact.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

#[test]
fn every_type_of_a_file_becomes_every_type_of_the_device() {
    let folder = tempfile::tempdir().unwrap();
    let mut stored = HashMap::new();
    for size in SIZES {
        for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
            let tensor = random(size as u64, &[size], DType::F32).to_dtype(dtype).unwrap();
            stored.insert(format!("{size}-{}", dtype.as_str()), tensor);
        }
    }
    candle_core::safetensors::save(&stored, folder.path().join("model.safetensors")).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let loader = Loader::new(&checkpoint, gpu(), stored.keys(), &|_| ());

    for dtype in [DType::F16, DType::BF16, DType::F32] {
        // All are asked for before any is looked at: buffers are used again while copies are on their way.
        let found: Vec<(&String, Tensor)> = stored
            .iter()
            .map(|(name, tensor)| (name, loader.tensor(name, tensor.dims(), dtype).unwrap()))
            .collect();
        for (name, found) in found {
            let wanted = checkpoint.tensor(name, stored[name].dims(), dtype, &Device::Cpu).unwrap();
            assert!(found.device().is_cuda() && found.dtype() == dtype);
            assert!(bits(&found) == bits(&wanted), "{name} as {dtype:?}");
        }
    }
}

/// The published weights, each made whole on the processor before it goes to the device.
struct OneByOne(Checkpoint, WeightFormat);

impl WeightSource for OneByOne {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.0.tensor(name, shape, self.1.dtype, &Device::Cpu);
        tensor.map_err(candle_core::Error::wrap)?.to_device(gpu())
    }

    fn matrix(&self, name: &str, (n_out, n_in): (usize, usize)) -> Result<Weight> {
        Weight::new(self.tensor(name, &[n_out, n_in])?, self.1.quantization)
    }
}

fn hidden_states(model: &ChatGlm) -> Vec<u32> {
    let input = Input {
        input_ids: Tensor::new(&[[5u32, 9, 17, 3, 8]], gpu()).unwrap(),
        position_ids: PositionIds {
            batch: 1,
            rows: 2,
            seq: 5,
            ids: vec![0, 1, 2, 2, 2, 0, 0, 0, 1, 2],
        },
        attention_mask: AttentionMask::new(vec![MaskRow { padding: 0, context: 3 }]),
    };
    bits(&model.hidden_states(&input, Pass::default()).unwrap())
}

#[test]
fn a_model_is_the_same_however_it_comes() {
    let folder = fixture("mini/checkpoint");
    let dir = ModelDir::open(&folder).unwrap();
    for dtype in [DType::F16, DType::BF16, DType::F32] {
        for quantization in [None, Some(Quantization::Int8), Some(Quantization::Int4)] {
            let format = WeightFormat { dtype, quantization };
            let source = OneByOne(Checkpoint::open(&folder).unwrap(), format);
            let wanted = ChatGlm::load(dir.config().clone(), &source).unwrap();

            let found = dir.load(format, gpu()).unwrap();

            assert_eq!(found.kept_in(), wanted.kept_in());
            assert!(hidden_states(&found) == hidden_states(&wanted), "{format:?}");
        }
    }
}
