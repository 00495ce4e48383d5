//! `weft estimate`: what a run will take in memory and time, before anything is loaded.

mod device;
mod report;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use self::{
    device::{DeviceArg, Place},
    report::Report,
};
use super::{
    common::{EncodingArgs, ModelArgs, read_pairs},
    shape::ModelShape,
    train::options::OptionArgs,
};
use crate::{
    chatglm::ChatGlmConfig,
    estimate::{SampleSize, WeightsIn, Workload, estimate},
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
    /// Samples of so many tokens instead, half of them an answer.
    #[arg(long, value_name = "TOKENS", conflicts_with = "data")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=1 << 20))]
    seq: Option<u32>,
    /// What computes: auto, cpu, cuda, or cuda:N, each measured for a moment; or h100, as one was measured.
    #[arg(long, default_value = "auto")]
    device: DeviceArg,
    /// What frozen weights are kept in: f32, f16, bf16, int8, int4, `q8_0` or `q4_0`; unless given, f16 on a GPU and
    /// f32 on the processor.
    #[arg(long, value_name = "FORM")]
    dtype: Option<WeightsIn>,
    /// Compute each block again in the backward: slower, in less memory.
    #[arg(long)]
    checkpoint: bool,
    /// Print one JSON object instead.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    encoding: EncodingArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let options = args.options.options();
    options.validate()?;
    ensure!(
        args.seq.is_none() || options.epochs.is_none(),
        "--epochs counts passes over --data: with --seq wanted --max-steps"
    );
    let (config, samples) = args.model_and_samples(options.batch_size)?;
    let Place { device, processor, weights } = args.device.open(args.dtype)?;
    let steps = total_steps(&options, samples.len());
    let workload = Workload::new(&config, (processor, weights), &options, (steps, &samples))?;
    let workload = Workload { checkpoint: args.checkpoint, ..workload };
    let rates = device::rates(device.as_ref(), weights)?;

    let estimate = estimate(&workload, Some(rates));
    let report =
        Report { device: device::name(device.as_ref()), workload: &workload, rates, estimate };
    if args.json {
        println!("{}", report.as_json());
    } else {
        print!("{report}");
    }
    Ok(())
}

impl Args {
    fn model_and_samples(&self, batch: usize) -> anyhow::Result<(ChatGlmConfig, Vec<SampleSize>)> {
        let of_one_length = self.seq.map(|seq| {
            // More of one length would say no more.
            vec![SampleSize::half_learned(seq as usize); batch.min(1 << 16)]
        });
        if let Some(ModelShape(shape)) = self.shape {
            let samples = of_one_length.context(
                "--shape has no vocabulary to encode pairs with: wanted --seq, or --model",
            )?;
            return Ok((shape.config(), samples));
        }
        let model = self.model.clone().context("--model is needed, or --shape with --seq")?;
        let dir = ModelArgs { model }.open()?;
        if let Some(samples) = of_one_length {
            return Ok((dir.config().clone(), samples));
        }
        let data = self.data.as_deref().context("--data is needed, or --seq")?;
        let set = TrainingSet::encode(
            &read_pairs(data)?,
            &self.options.prompt_forms(),
            &dir.tokenizer()?,
            &self.encoding.options(dir.config()),
            &self.options.options(),
        )?;
        let samples = set.train.samples.iter().map(SampleSize::from).collect();
        Ok((dir.config().clone(), samples))
    }
}
