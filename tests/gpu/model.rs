//! The whole model with an adapter that learns: loss and gradients of a batch, padded and packed.

use std::cell::Cell;

use candle_core::{DType, Device, Result, Tensor};
use weft::{
    chatglm::{ChatGlm, ChatGlmConfig, Input, WeightSource},
    lora::{Adapter, Target},
    ops::{AttentionMask, MaskRow, PositionIds, Quantization, Weight},
    training::{GradientCheckpointing, Trainee, TrainingBatch},
};
use weft_shared::{
    sample::{IGNORED, PositionIds as SamplePositions, Sample},
    training::LoraOptions,
};

use crate::{TYPES, assert_near, gpu, random};

/// Small, with heads of `head` elements and weights as large as a trained model's.
pub(crate) fn model(head: usize, dtype: DType, device: &Device, kept_in: DType) -> ChatGlm {
    model_in(None, head, dtype, device, kept_in)
}

/// The same with matrices in few bits.
pub(crate) fn model_in(
    quantization: Option<Quantization>,
    head: usize,
    dtype: DType,
    device: &Device,
    kept_in: DType,
) -> ChatGlm {
    model_of(ChatGlmConfig::of_shape(2, 2 * head, 2, 200), quantization, dtype, device, kept_in)
}

pub(crate) fn model_of(
    config: ChatGlmConfig,
    quantization: Option<Quantization>,
    dtype: DType,
    device: &Device,
    kept_in: DType,
) -> ChatGlm {
    let weights = Weights { seed: Cell::new(100), quantization, dtype, device, kept_in };
    ChatGlm::load(config, &weights).unwrap()
}

struct Weights<'a> {
    seed: Cell<u64>,
    quantization: Option<Quantization>,
    dtype: DType,
    device: &'a Device,
    kept_in: DType,
}

impl WeightSource for Weights<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let Self { seed, dtype, .. } = self;
        seed.set(seed.get() + 1);
        let weight = random(seed.get(), shape, *dtype);
        let weight = match name {
            _ if name.ends_with("layernorm.weight") => (weight.abs()? + 0.5)?,
            _ => (weight * (1.0 / (shape[shape.len() - 1] as f64).sqrt()))?,
        };
        // Rounded again: both models have the very same weights.
        weight.to_dtype(*dtype)?.to_dtype(self.kept_in)?.to_device(self.device)
    }

    fn matrix(&self, name: &str, (n_out, n_in): (usize, usize)) -> Result<Weight> {
        Weight::new(self.tensor(name, &[n_out, n_in])?, self.quantization)
    }
}

/// Three sequences of 70 tokens, two of them padded.
pub(crate) fn batch(device: &Device) -> TrainingBatch {
    padded(device, 70, [0, 5, 31], [20, 40, 9])
}

/// Three of 300, so that attention reads several tiles, and one sequence begins in its second.
fn long(device: &Device) -> TrainingBatch {
    padded(device, 300, [0, 140, 63], [200, 70, 1])
}

/// Three sequences of `seq` tokens; the second half of each is labels.
fn padded(device: &Device, seq: usize, padding: [usize; 3], context: [usize; 3]) -> TrainingBatch {
    let batch = 3;
    let ids: Vec<u32> = (0..batch * seq).map(|i| (i * 37 % 200) as u32).collect();
    let mut positions = Vec::new();
    for context in context {
        positions.extend(0..seq as u32);
        positions.extend((0..seq).map(|place| (place + 1usize).saturating_sub(context + 5) as u32));
    }
    let rows: Vec<u32> = (0..batch)
        .flat_map(|row| (seq / 2..seq - 1).map(move |place| (row * seq + place) as u32))
        .collect();
    let targets = rows.iter().map(|&row| ids[row as usize + 1]).collect();
    let mask = padding.iter().zip(context);
    let mask = mask.map(|(&padding, context)| MaskRow { padding, context }).collect();
    TrainingBatch {
        input: Input {
            input_ids: Tensor::from_vec(ids, (batch, seq), device).unwrap(),
            position_ids: PositionIds { batch, rows: 2, seq, ids: positions },
            attention_mask: AttentionMask::new(mask),
        },
        label_rows: Tensor::new(rows, device).unwrap(),
        targets,
    }
}

/// `len` tokens, those from `context_length` on labels.
pub(crate) fn sample(len: usize, context_length: usize) -> Sample {
    let input_ids: Vec<u32> = (0..len).map(|i| ((i + len) * 37 % 200) as u32).collect();
    let label = |(i, &id)| if i < context_length { IGNORED } else { i64::from(id) };
    let block = (0..len).map(|place| (place + 1).saturating_sub(context_length) as u32);
    Sample {
        labels: input_ids.iter().enumerate().map(label).collect(),
        position_ids: SamplePositions::TwoRows([(0..len as u32).collect(), block.collect()]),
        input_ids,
        context_length,
    }
}

/// Three sequences of several lengths, one after another.
pub(crate) fn packed(device: &Device) -> TrainingBatch {
    let samples = [(70, 20), (33, 30), (129, 64)].map(|(len, context)| sample(len, context));
    TrainingBatch::packed(&samples.iter().collect::<Vec<_>>(), device).unwrap()
}

pub(crate) fn adapter(
    r: usize,
    targets: &[Target],
    config: &ChatGlmConfig,
    device: &Device,
) -> Adapter {
    // As strong as one of eight ranks by default, whatever its rank: a stronger one makes more of what the arithmetic rounds.
    let alpha = LoraOptions::default().alpha / 8f64.sqrt();
    let options =
        LoraOptions { r, alpha, use_rslora: true, dropout: 0.25, ..LoraOptions::default() };
    let adapter = Adapter::initialize(options.clone(), targets, config, 7, device).unwrap();
    let weights = adapter.iter().map(|(layer, target, weights)| {
        let mut weights = weights.clone();
        // B starts at zero, which would hide A's gradient.
        let b = random(layer as u64 + 50, weights.b.dims(), DType::F32).affine(0.3, 0.0).unwrap();
        weights.b = b.to_device(device).unwrap();
        ((layer, target), weights)
    });
    Adapter::new(options, weights.collect())
}

fn loss_and_gradients(
    model: ChatGlm,
    r: usize,
    targets: &[Target],
    checkpoint: bool,
    batch: fn(&Device) -> TrainingBatch,
) -> Result<(Tensor, Vec<(String, Tensor)>)> {
    let device = model.device().clone();
    let adapter = adapter(r, targets, model.config(), &device);
    let mut trainee = Trainee::lora(model, adapter, "".into())?;
    trainee.gradient_checkpointing =
        if checkpoint { GradientCheckpointing::On } else { GradientCheckpointing::Off };
    let loss = trainee.loss(&batch(&device), Some(3))?;
    let tape = loss.backward()?;
    // One op for all blocks puts them aside.
    let is_one_op = device.is_cuda() && trainee.model.dtype() != DType::F32;
    for (name, weight) in &trainee.parameters {
        assert_eq!(tape.get(weight).is_none(), is_one_op, "{name}");
    }
    let gradients = trainee.take_gradients(tape)?;
    let names = trainee.parameters.iter().map(|(name, _)| name.clone());
    Ok((loss, names.zip(gradients).collect()))
}

/// On the processor in f32, on the GPU, and there with blocks that are computed again.
fn assert_gradients_are_the_processors(
    (dtype, bound): (DType, f32),
    head: usize,
    (r, targets): (usize, &[Target]),
    batch: fn(&Device) -> TrainingBatch,
) {
    let reference = model(head, dtype, &Device::Cpu, DType::F32);
    let (wanted, d_wanted) = loss_and_gradients(reference, r, targets, false, batch).unwrap();

    let fast = model(head, dtype, gpu(), dtype);
    let (found, d_found) = loss_and_gradients(fast.clone(), r, targets, false, batch).unwrap();

    let what = format!("heads of {head}, rank {r} on {targets:?}, {dtype:?}");
    assert_near(&format!("{what}: loss"), &found, &wanted, bound);
    for ((name, found), (_, wanted)) in d_found.iter().zip(&d_wanted) {
        assert_near(&format!("{what}: {name}"), found, wanted, 8.0 * bound);
    }

    // Computing a block again gives the very same numbers.
    let (again, d_again) = loss_and_gradients(fast, r, targets, true, batch).unwrap();
    assert!(bits(&again) == bits(&found), "{what}, checkpointed");
    for ((name, again), (_, found)) in d_again.iter().zip(&d_found) {
        assert!(bits(again) == bits(found), "{what}, checkpointed: {name}");
    }
}

fn bits(x: &Tensor) -> Vec<u32> {
    let values = x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

#[test]
fn loss_and_gradients_are_those_of_the_processor() {
    for of_type in TYPES {
        for (head, r, batch) in [
            (32, 3, batch as fn(&Device) -> TrainingBatch),
            (64, 8, batch),
            (128, 11, batch),
            (64, 8, packed),
            (128, 8, packed),
            (128, 8, long),
        ] {
            let lora = (r, &[Target::QueryKeyValue][..]);
            assert_gradients_are_the_processors(of_type, head, lora, batch);
        }
    }
}

#[test]
fn so_are_those_of_adapters_on_other_layers() {
    for of_type in TYPES {
        for (r, targets) in [
            (8, &Target::ALL[..]),
            (16, &Target::ALL),
            (5, &Target::ALL),
            (8, &[Target::Dense]),
            (8, &[Target::DenseHTo4h]),
            (16, &[Target::Dense4hToH]),
            (11, &[Target::QueryKeyValue, Target::Dense4hToH]),
        ] {
            assert_gradients_are_the_processors(of_type, 64, (r, targets), packed);
        }
        assert_gradients_are_the_processors(of_type, 128, (8, &Target::ALL), batch);
    }
}

/// The kernels take eight, sixteen or thirty-two ranks at a time.
#[test]
fn so_are_those_of_adapters_of_any_rank() {
    for of_type in TYPES {
        for r in [1, 4, 12, 15, 17, 20, 24, 32, 40, 64] {
            assert_gradients_are_the_processors(of_type, 64, (r, &Target::ALL), packed);
        }
    }
}

#[test]
fn in_f32_adapters_take_the_way_op_by_op() {
    let reference = model(64, DType::F32, &Device::Cpu, DType::F32);
    let (wanted, d_wanted) = loss_and_gradients(reference, 4, &Target::ALL, false, packed).unwrap();

    let fast = model(64, DType::F32, gpu(), DType::F32);
    let (found, d_found) = loss_and_gradients(fast, 4, &Target::ALL, false, packed).unwrap();

    assert_near("loss", &found, &wanted, 1e-4);
    for ((name, found), (_, wanted)) in d_found.iter().zip(&d_wanted) {
        assert_near(name, found, wanted, 1e-4);
    }
}

#[test]
fn a_base_in_few_bits_gives_the_gradients_of_the_processor() {
    for form in Quantization::ALL {
        let (dtype, bound) = TYPES[0];
        let targets = [Target::QueryKeyValue];
        let reference = model_in(Some(form), 64, dtype, &Device::Cpu, DType::F32);
        let (wanted, d_wanted) = loss_and_gradients(reference, 8, &targets, false, batch).unwrap();

        let fast = model_in(Some(form), 64, dtype, gpu(), dtype);
        let (found, d_found) = loss_and_gradients(fast, 8, &targets, false, batch).unwrap();

        let what = form.name();
        assert_near(&format!("{what}: loss"), &found, &wanted, bound);
        for ((name, found), (_, wanted)) in d_found.iter().zip(&d_wanted) {
            assert_near(&format!("{what}: {name}"), found, wanted, 8.0 * bound);
        }
    }
}
