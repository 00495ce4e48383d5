//! Every weight learns: gradients of half-precision copies against the tape's of f32 weights on the processor.

use candle_core::{DType, Device, Result, Tensor};
use weft::chatglm::{ChatGlmConfig, Trainable};
use weft::training::{Trainee, TrainingBatch};

use crate::{TYPES, assert_near, gpu, model, random};

/// Weights of a small model that `dtype` holds exactly.
fn trainable(head: usize, dtype: DType, device: &Device) -> Trainable {
    let weights = |name: &str, shape: &[usize]| -> Result<Tensor> {
        let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
        let weight = random(seed, shape, dtype);
        let weight = match name {
            _ if name.ends_with("layernorm.weight") => (weight.abs()? + 0.5)?,
            _ => (weight * (1.0 / (shape[shape.len() - 1] as f64).sqrt()))?,
        };
        weight.to_dtype(dtype)?.to_dtype(DType::F32)?.to_device(device)
    };
    Trainable::load(ChatGlmConfig::of_shape(2, 2 * head, 2, 200), dtype, &weights).unwrap()
}

fn loss_and_gradients(
    trainable: Trainable,
    batch: fn(&Device) -> TrainingBatch,
) -> (Tensor, Vec<(String, Tensor)>) {
    let device = trainable.model.device().clone();
    let trainee = Trainee::full(trainable, "".into());
    let loss = trainee.loss(&batch(&device), Some(3)).unwrap();
    let gradients = trainee.take_gradients(loss.backward().unwrap()).unwrap();
    let names = trainee.parameters.iter().map(|(name, _)| name.clone());
    (loss, names.zip(gradients).collect())
}

#[test]
fn every_weight_gets_the_gradient_of_the_processor() {
    for (dtype, bound) in TYPES {
        for (head, batch) in [
            (32, model::batch as fn(&Device) -> TrainingBatch),
            (64, model::packed),
            (128, model::packed),
        ] {
            let reference = trainable(head, dtype, &Device::Cpu);
            assert!(reference.copies.is_none(), "on the processor the weights themselves learn");
            let (wanted, d_wanted) = loss_and_gradients(reference, batch);

            let fast = trainable(head, dtype, gpu());
            assert!(fast.copies.is_some());
            let (found, d_found) = loss_and_gradients(fast, batch);

            let what = format!("heads of {head}, {dtype:?}");
            assert_near(&format!("{what}: loss"), &found, &wanted, bound);
            assert_eq!(d_found.len(), d_wanted.len());
            for ((name, found), (_, wanted)) in d_found.iter().zip(&d_wanted) {
                assert_near(&format!("{what}: {name}"), found, wanted, 8.0 * bound);
            }
        }
    }
}

#[test]
fn equal_inputs_give_equal_bits() {
    let gradients = || loss_and_gradients(trainable(64, DType::BF16, gpu()), model::packed).1;
    let (first, second) = (gradients(), gradients());

    for ((name, first), (_, second)) in first.iter().zip(&second) {
        let bits = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(bits(first) == bits(second), "{name}");
    }
}
