//! `weft estimate`: what a run will take in memory and time, before anything is loaded.

mod device;
mod report;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use weft_shared::{sample::Sample, training::TrainingOptions};

use self::{device::DeviceArg, report::Report};
use super::{
    common::{EncodingArgs, LoraArgs, ModelArgs, read_pairs},
    shape::ModelShape,
    train::options::OptionArgs,
};
use crate::{
    chatglm::ChatGlmConfig,
    device::WeightFormat,
    estimate::{SampleSize, Workload, estimate},
    training::total_steps,
    training_set::TrainingSet,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A model folder, of which `config.json` is read, and with --data the vocabulary; a hub id, or `embedded`.
    #[arg(long, value_name = "DIR|ID")]
    model: Option<String>,
    /// A size instead, of which nothing is fetched: chatglm-6b, mini, embedded, or
    /// `LAYERSxHIDDENxHEADSxVOCAB`. Wants --seq.
    #[arg(long, value_name = "NAME", conflicts_with = "model")]
    shape: Option<ModelShape>,
    /// Pairs to train on, in any form that `weft dataset` reads.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Samples of so many tokens instead, half of them an answer; those that are rehearsed, too.
    #[arg(long, value_name = "TOKENS", conflicts_with_all = ["data", "rehearsal"])]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=1 << 20))]
    seq: Option<u32>,
    /// What computes: auto, cpu, cuda, or cuda:N, each measured for a moment; or h100, as one was measured.
    #[arg(long, default_value = "auto")]
    device: DeviceArg,
    /// What frozen weights are kept in: f32, f16, bf16, int8, int4, `q8_0` or `q4_0`; unless given, f16 on a GPU and
    /// f32 on the processor.
    #[arg(long, value_name = "FORM")]
    dtype: Option<WeightFormat>,
    /// Compute each block again in the backward: slower, in less memory.
    #[arg(long)]
    checkpoint: bool,
    /// Print one JSON object instead.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    lora: LoraArgs,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    encoding: EncodingArgs,
}

/// What is trained: a model, and the samples of a run.
struct Sizes {
    config: ChatGlmConfig,
    samples: Vec<SampleSize>,
    rehearsal: Vec<SampleSize>,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let options = args.options.options(&args.lora);
    options.validate()?;
    ensure!(
        args.seq.is_none() || options.epochs.is_none(),
        "--epochs counts passes over --data: with --seq wanted --max-steps"
    );
    let Sizes { config, samples, rehearsal } = args.sizes(&options)?;
    let place = args.device.open(args.dtype)?;
    let steps = total_steps(&options, samples.len());
    let on = (place.processor, place.weights);
    let workload = Workload::new(&config, on, &options, (steps, &samples))?;
    let workload = Workload { checkpoint: args.checkpoint, rehearsal: &rehearsal, ..workload };
    let rates = place.rates()?;

    let estimate = estimate(&workload, Some(rates));
    let report = Report { device: place.name(), workload: &workload, rates, estimate };
    if args.json {
        println!("{}", report.as_json());
    } else {
        print!("{report}");
    }
    Ok(())
}

impl Args {
    fn sizes(&self, options: &TrainingOptions) -> anyhow::Result<Sizes> {
        let of_one_length = |config| {
            let sample = SampleSize::half_learned(self.seq? as usize);
            // More of one length would say no more.
            let of = |batch: usize| vec![sample; batch.min(1 << 16)];
            let (samples, rehearsal) = (of(options.batch_size), of(options.rehearsal_batch_size));
            Some(Sizes { config, samples, rehearsal })
        };
        if let Some(ModelShape(shape)) = self.shape {
            return of_one_length(shape.config()).context(
                "--shape has no vocabulary to encode pairs with: wanted --seq, or --model",
            );
        }
        let model = self.model.clone().context("--model is needed, or --shape with --seq")?;
        let dir = ModelArgs { model: model.clone() }.open()?;
        if let Some(sizes) = of_one_length(dir.config().clone()) {
            return Ok(sizes);
        }
        let data = self.data.as_deref().context("--data is needed, or --seq")?;
        let (tokenizer, encoding) = (dir.tokenizer()?, self.encoding.options(dir.config()));
        let (pairs, forms) = (read_pairs(data)?, self.options.prompt_forms());
        let set = TrainingSet::encode(&pairs, &forms, &tokenizer, &encoding, options)?.rehearsing(
            &self.options.rehearsal(&model)?,
            &tokenizer,
            &encoding,
        )?;
        let sizes = |samples: &[Sample]| samples.iter().map(SampleSize::from).collect();
        Ok(Sizes {
            config: dir.config().clone(),
            samples: sizes(&set.train.samples),
            rehearsal: sizes(&set.rehearsal),
        })
    }
}
