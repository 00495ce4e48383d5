//! Times training steps, decoded tokens and loading of a model with random weights.

mod device;
mod host;
mod load;
mod published;
mod serve;
mod state_dict;

use std::{path::PathBuf, time::Instant};

use candle_core::{Device, Result, Tensor};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::training::LoraOptions;

use crate::{
    chatglm::{ChatGlm, ChatGlmConfig, Input, Pass, WeightSource},
    device::WeightFormat,
    generation::{Sampler, SamplingOptions},
    lora::{Adapter, Target},
    ops::{AttentionMask, KvCache, MaskRow, PositionIds, Submissions, Weight},
    training::{AdamW, GradientCheckpointing, Trainee, TrainingBatch},
};

pub use device::rates;
pub use load::{LoadBenchError, Loading, load, published_model};
pub use serve::{first_token_again, serve};

/// Tokens of one decoding measurement.
pub const DECODED: usize = 16;
const WARM_UP: usize = 3;

/// A model's size.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    pub vocab: usize,
}

/// Random weights, made where they are computed with.
struct RandomWeights<'a> {
    device: &'a Device,
    format: WeightFormat,
}

impl WeightSource for RandomWeights<'_> {
    fn tensor(&self, _: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = match shape {
            [_] => Tensor::full(0.5f32, shape, self.device)?,
            _ => Tensor::randn(0f32, 0.02, shape, self.device)?,
        };
        tensor.to_dtype(self.format.dtype)
    }

    fn matrix(&self, name: &str, (n_out, n_in): (usize, usize)) -> Result<Weight> {
        Weight::new(self.tensor(name, &[n_out, n_in])?, self.format.quantization)
    }
}

impl Shape {
    /// The published one.
    pub const CHATGLM_6B: Self = Self { layers: 28, hidden: 4096, heads: 32, vocab: 150_528 };

    pub fn config(self) -> ChatGlmConfig {
        ChatGlmConfig::of_shape(self.layers, self.hidden, self.heads, self.vocab)
    }

    /// A model of this shape, its weights in `format`.
    pub fn random(self, device: &Device, format: WeightFormat) -> Result<ChatGlm> {
        ChatGlm::load(self.config(), &RandomWeights { device, format })
    }
}

/// Seconds of each repeat, sorted.
pub struct Measured(Vec<f64>);

impl Measured {
    fn new(device: &Device, repeats: usize, mut work: impl FnMut() -> Result<()>) -> Result<Self> {
        for _ in 0..WARM_UP {
            work()?;
        }
        let mut seconds = Vec::new();
        for _ in 0..repeats.max(1) {
            device.synchronize()?;
            let start = Instant::now();
            work()?;
            device.synchronize()?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        Ok(Self::of(seconds))
    }

    /// Seconds that were measured, at least one.
    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }

    pub fn median_ms(&self) -> f64 {
        self.0[self.0.len() / 2] * 1e3
    }

    pub fn fastest_ms(&self) -> f64 {
        self.0[0] * 1e3
    }

    pub fn slowest_ms(&self) -> f64 {
        self.0[self.0.len() - 1] * 1e3
    }
}

/// Steps of a fresh adapter on `model` over `batch` samples of `seq` tokens, half of them labels; with `checkpoint`, blocks
/// are computed again in the backward. As in a run, a device is given the next step before the one before has ended; a step's
/// time is that from the end of one to the end of the next.
pub fn train(
    model: &ChatGlm,
    lora: &LoraOptions,
    (batch, seq): (usize, usize),
    checkpoint: bool,
    repeats: usize,
) -> Result<Measured> {
    let device = model.device();
    let adapter = adapter(model, lora, 0)?;
    let mut trainee = Trainee::lora(model.clone(), adapter, PathBuf::new())?;
    trainee.gradient_checkpointing =
        if checkpoint { GradientCheckpointing::On } else { GradientCheckpointing::Off };
    let mut optimizer = AdamW::new(&trainee, 0.0)?;
    let samples = random_batch(model.config().vocab_size, batch, seq, device)?;

    let mut submissions = Submissions::new(device);
    let mut submit = |submissions: &mut Submissions, number: usize| {
        let step = || {
            let loss = trainee.loss(&samples, Some(number as u64))?;
            let (loss, gradients) = trainee.backward(loss, optimizer.state())?;
            optimizer.update(&trainee.parameters, &gradients, 1e-4, 1.0)?;
            Ok::<_, candle_core::Error>((vec![loss, optimizer.state().numbers().clone()], ()))
        };
        submissions.submit(step).map(|(submitted, ())| submitted)
    };
    let mut before = submit(&mut submissions, 0)?;
    let mut ended = Instant::now();
    let mut seconds = Vec::new();
    for number in 1..=WARM_UP + repeats.max(1) {
        let next = submit(&mut submissions, number)?;
        submissions.wait(std::mem::replace(&mut before, next))?;
        seconds.push(ended.elapsed().as_secs_f64());
        ended = Instant::now();
    }
    submissions.wait(before)?;
    Ok(Measured::of(seconds.split_off(WARM_UP)))
}

/// A fresh adapter for `model`.
fn adapter(model: &ChatGlm, lora: &LoraOptions, seed: u64) -> Result<Adapter> {
    let targets = Target::from_names(&lora.target_modules).map_err(candle_core::Error::wrap)?;
    Adapter::initialize(lora.clone(), &targets, model.config(), seed, model.device())
}

/// [`DECODED`] greedy tokens one after another, the last of which is token `context`.
pub fn decode(model: &ChatGlm, context: usize, repeats: usize) -> Result<Measured> {
    let device = model.device();
    let mut cache = KvCache::new(&model.page_pool(None));
    let filled = context.saturating_sub(DECODED + 1);
    let prompt = random_batch(model.config().vocab_size, 1, filled, device)?.input;
    model.hidden_states_cached(&prompt, Pass::default(), &mut cache)?;

    let mut sampler = greedy()?;
    let mut token = 1u32;
    Measured::new(device, repeats, || {
        cache.truncate(filled);
        for step in 0..DECODED {
            let input = Input {
                input_ids: Tensor::new(&[[token]], device)?,
                position_ids: PositionIds {
                    batch: 1,
                    rows: 2,
                    seq: 1,
                    ids: vec![62, step as u32 + 5],
                },
                attention_mask: AttentionMask::new(vec![MaskRow { padding: 0, context: 0 }]),
            };
            let hidden = model.hidden_states_cached(&input, Pass::default(), &mut cache)?;
            token = pick(&mut sampler, &model.logits(&hidden)?)?;
        }
        Ok(())
    })
}

/// The first token of an answer, greedily, to a prompt of `tokens` tokens.
pub fn first_token(model: &ChatGlm, tokens: usize, repeats: usize) -> Result<Measured> {
    let device = model.device();
    let prompt = random_batch(model.config().vocab_size, 1, tokens, device)?.input;
    let mut sampler = greedy()?;
    let pool = model.page_pool(None);
    Measured::new(device, repeats, || {
        let mut cache = KvCache::new(&pool);
        let hidden = model.hidden_states_cached(&prompt, Pass::default(), &mut cache)?;
        let last = hidden.narrow(1, tokens - 1, 1)?.contiguous()?; // [1, 1, model]
        pick(&mut sampler, &model.logits(&last)?).map(drop)
    })
}

/// The next token by `logits` `[1, 1, vocab]`.
fn pick(sampler: &mut Sampler, logits: &Tensor) -> Result<u32> {
    Ok(Sampler::pick_rows(&logits.flatten(0, 1)?, &mut [(sampler, &[])])?[0])
}

fn greedy() -> Result<Sampler> {
    let options = SamplingOptions { greedy: true, ..SamplingOptions::default() };
    Sampler::new(options, 0).map_err(candle_core::Error::wrap)
}

fn random_batch(vocab: usize, batch: usize, seq: usize, device: &Device) -> Result<TrainingBatch> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let context = seq / 2;
    let vocab = vocab as u32;
    let ids: Vec<u32> = (0..batch * seq).map(|_| rng.random_range(0..vocab)).collect();
    let block = (0..seq).map(|place| (place + 1).saturating_sub(context) as u32);
    let positions: Vec<u32> = (0..seq as u32).chain(block).collect();
    // Every place from `<sop>` on predicts the next one.
    let predicting = |row: usize| row * seq + context..(row + 1) * seq - 1;
    let label_rows: Vec<u32> = (0..batch).flat_map(predicting).map(|place| place as u32).collect();
    let targets = label_rows.iter().map(|&place| ids[place as usize + 1]).collect();
    Ok(TrainingBatch {
        input: Input {
            input_ids: Tensor::from_vec(ids, (batch, seq), device)?,
            position_ids: PositionIds { batch, rows: 2, seq, ids: positions.repeat(batch) },
            attention_mask: AttentionMask::new(vec![MaskRow { padding: 0, context }; batch]),
        },
        label_rows: Tensor::new(label_rows, device)?,
        targets,
    })
}
