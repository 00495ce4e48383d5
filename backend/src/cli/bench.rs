//! `weft bench`: how fast a model of some shape trains, decodes and loads, with random weights. Prints one JSON object.

mod common;
mod load;

use candle_core::Device;
use clap::Subcommand;
use serde_json::{Value, json};
use weft_shared::training::{LoraOptions, TrainingOptions};

use self::common::{Common, Opened};
use super::{
    common::{ComputeArgs, LoraArgs},
    sampling::SamplingArgs,
};
use crate::{
    bench::{self, Measured},
    estimate::{Processor, Rates, SampleSize, Work, Workload},
    generation::SamplingOptions,
    ops::{MOST_CHATS, memory},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Whole LoRA training steps: forward, backward, clipping, optimizer.
    Train {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        lora: LoraArgs,
        #[command(flatten)]
        batches: BatchArgs,
        /// Compute each block again in the backward: slower, in less memory.
        #[arg(long)]
        checkpoint: bool,
    },
    /// The first token after a prompt, and after one that was read before; one token after another with a filled cache.
    Decode {
        #[command(flatten)]
        common: Common,
        /// Tokens in the cache, and of the prompt.
        #[arg(long, visible_alias = "seq", default_value_t = 512)]
        #[arg(value_parser = clap::value_parser!(u32).range(32..=1 << 16))]
        context: u32,
    },
    /// A token of each of several chats at once, each with an adapter of its own, and of one alone.
    Serve {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        lora: LoraArgs,
        #[arg(long, default_value_t = 32)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=MOST_CHATS as i64))]
        chats: u32,
        /// Tokens of each chat.
        #[arg(long, default_value_t = 512)]
        #[arg(value_parser = clap::value_parser!(u32).range(32..=2048))]
        context: u32,
        #[command(flatten)]
        sampling: SamplingArgs,
    },
    /// A model from files in the published form to where it is computed.
    Load {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        files: load::FileArgs,
    },
    /// A large matrix product and a large copy: what `weft estimate` reckons with.
    Device {
        #[command(flatten)]
        compute: ComputeArgs,
    },
}

#[derive(Debug, clap::Args)]
struct BatchArgs {
    /// Samples of a batch.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Tokens of a sample.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(2..=1 << 20))]
    seq: u32,
    /// Several batches instead, each `BATCHxSEQ` tokens.
    #[arg(long, value_delimiter = ',', value_parser = parse_batch, conflicts_with_all = ["batch", "seq"])]
    shapes: Vec<(usize, usize)>,
}

impl BatchArgs {
    fn all(self) -> Vec<(usize, usize)> {
        if self.shapes.is_empty() {
            return vec![(self.batch as usize, self.seq as usize)];
        }
        self.shapes
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let report = match args.command {
        Command::Train { common, lora, batches, checkpoint } => {
            train(&common, &lora.options(), batches, checkpoint)?
        }
        Command::Decode { common, context } => decode(&common, context as usize)?,
        Command::Serve { common, lora, chats, context, sampling } => {
            let chats = (chats as usize, context as usize);
            serve(&common, &lora.options(), chats, &sampling.options())?
        }
        Command::Load { common, files } => load::run(&common, files)?,
        Command::Device { compute } => device(compute)?,
    };
    println!("{report}");
    Ok(())
}

fn train(
    common: &Common,
    lora: &LoraOptions,
    batches: BatchArgs,
    checkpoint: bool,
) -> anyhow::Result<Value> {
    let opened = common.open()?;
    let (model, mut report, rates) = opened.model_and_rates()?;
    report["checkpoint"] = json!(checkpoint);
    add_lora(&mut report, lora);
    for (batch, seq) in batches.all() {
        memory::reset_peak(model.device())?;
        let measured = bench::train(&model, lora, (batch, seq), checkpoint, common.repeats)?;
        let mut timing = timing(&measured, batch * seq);
        timing["peak_gib"] = peak_gib(model.device())?;

        let place = (processor(model.device()), opened.format);
        let options = TrainingOptions {
            lora: lora.clone(),
            batch_size: batch,
            gradient_accumulation_steps: 1,
            ..TrainingOptions::default()
        };
        let samples = vec![SampleSize::half_learned(seq); batch];
        let workload = Workload::new(model.config(), place, &options, (1, &samples))?;
        add_shares(&mut timing, Work::of_step(&workload), measured.median_ms(), rates);
        report[format!("{batch}x{seq}")] = timing;
    }
    Ok(report)
}

fn decode(common: &Common, context: usize) -> anyhow::Result<Value> {
    let opened = common.open()?;
    let (model, mut report, rates) = opened.model_and_rates()?;
    memory::reset_peak(model.device())?;
    let first = bench::first_token(&model, context, common.repeats)?;
    report["first_token"] = timing(&first, context);
    let again = bench::first_token_again(&model, context, common.repeats)?;
    report["first_token_again"] = timing(&again, context);
    let measured = bench::decode(&model, context, common.repeats)?;
    let mut timing = timing(&measured, bench::DECODED);
    timing["peak_gib"] = peak_gib(model.device())?;
    let work = Work::of_token(model.config(), opened.format, context);
    add_shares(&mut timing, work, measured.median_ms() / bench::DECODED as f64, rates);
    report["decode_tok_s"] = timing["tok_s"].clone();
    report["decode"] = timing;
    Ok(report)
}

fn serve(
    common: &Common,
    lora: &LoraOptions,
    (chats, context): (usize, usize),
    sampling: &SamplingOptions,
) -> anyhow::Result<Value> {
    let opened = common.open()?;
    let (model, mut report, _) = opened.model_and_rates()?;
    report["context"] = json!(context);
    add_lora(&mut report, lora);
    report["sampling"] = json!(sampling);
    for (name, chats) in [("one", 1), ("serve", chats)] {
        memory::reset_peak(model.device())?;
        let measured = bench::serve(&model, lora, (chats, context), sampling, common.repeats)?;
        report[name] = timing(&measured, chats);
        report[name]["chats"] = json!(chats);
        report[name]["peak_gib"] = peak_gib(model.device())?;
    }
    report["serve_tok_s"] = report["serve"]["tok_s"].clone();
    Ok(report)
}

fn device(compute: ComputeArgs) -> anyhow::Result<Value> {
    let (device, format) = compute.open()?;
    let mut report = json!({
        "device": format!("{:?}", device.location()),
        "weft": env!("CARGO_PKG_VERSION"),
        "dtype": format.dtype.as_str(),
        "threads": rayon::current_num_threads(),
    });
    add_rates(&mut report, bench::rates(&device, format.dtype, 5)?);
    Ok(report)
}

fn add_lora(report: &mut Value, lora: &LoraOptions) {
    report["lora_r"] = json!(lora.r);
    report["target_modules"] = json!(lora.target_modules);
}

fn add_rates(report: &mut Value, rates: Rates) {
    report["matmul_tflop_s"] = json!(round(rates.matmul_flops / 1e12));
    report["copy_gb_s"] = json!(round(rates.copy_bytes / 1e9));
}

/// What of the device's rates, measured in the same run, the work got that took so long.
fn add_shares(timing: &mut Value, work: Work, ms: f64, rates: Rates) {
    let seconds = ms / 1e3;
    let share = |of: f64| (of * 1e6).round() / 1e6;
    timing["share_of_matmul"] = json!(share(work.operations / seconds / rates.matmul_flops));
    timing["share_of_copy"] = json!(share(work.bytes / seconds / rates.copy_bytes));
}

fn processor(device: &Device) -> Processor {
    match device {
        Device::Cpu => Processor::Cpu { threads: rayon::current_num_threads() },
        _ => Processor::Gpu,
    }
}

/// Most memory of a GPU in use since the last reset; null on the processor.
fn peak_gib(device: &Device) -> candle_core::Result<Value> {
    Ok(json!(memory::peak(device)?.map(gib)))
}

fn gib(bytes: u64) -> f64 {
    (bytes as f64 / f64::from(1 << 30) * 100.0).round() / 100.0
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn timing(measured: &Measured, tokens: usize) -> Value {
    json!({
        "ms": round(measured.median_ms()),
        "ms_fastest": round(measured.fastest_ms()),
        "ms_slowest": round(measured.slowest_ms()),
        "tok_s": (tokens as f64 / measured.median_ms() * 10_000.0).round() / 10.0,
    })
}

fn parse_batch(text: &str) -> Result<(usize, usize), String> {
    let parsed = text.split_once('x').and_then(|(batch, seq)| {
        let (batch, seq) = (batch.parse().ok()?, seq.parse().ok()?);
        (batch > 0 && seq > 1).then_some((batch, seq))
    });
    parsed.ok_or_else(|| format!("wanted BATCHxSEQ such as 4x512, found {text:?}"))
}
