//! `weft bench`: how fast a model of some shape trains and decodes, with random weights. Prints one JSON object.

use candle_core::Device;
use clap::Subcommand;
use serde_json::{Value, json};

use super::common::ComputeArgs;
use crate::{
    bench::{self, Measured, Shape},
    chatglm::ChatGlm,
    ops::{MOST_CHATS, Quantization, memory},
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
        /// Batches to measure, each `BATCHxSEQ` tokens.
        #[arg(long, value_delimiter = ',', value_parser = parse_batch, default_value = "1x512")]
        shapes: Vec<(usize, usize)>,
        /// Compute each block again in the backward: slower, in less memory.
        #[arg(long)]
        checkpoint: bool,
    },
    /// The first token after a prompt, and one token after another with a filled cache.
    Decode {
        #[command(flatten)]
        common: Common,
        /// Tokens in the cache, and of the prompt.
        #[arg(long, default_value_t = 512)]
        #[arg(value_parser = clap::value_parser!(u32).range(32..=1 << 16))]
        context: u32,
    },
    /// A token of each of several chats at once, each with an adapter of its own, and of one alone.
    Serve {
        #[command(flatten)]
        common: Common,
        #[arg(long, default_value_t = 32)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=MOST_CHATS as i64))]
        chats: u32,
        /// Tokens of each chat.
        #[arg(long, default_value_t = 512)]
        #[arg(value_parser = clap::value_parser!(u32).range(32..=2048))]
        context: u32,
    },
    /// A large matrix product and a large copy: what `weft estimate` reckons with.
    Device {
        #[command(flatten)]
        compute: ComputeArgs,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    compute: ComputeArgs,
    #[arg(long, default_value_t = 28)]
    layers: usize,
    #[arg(long, default_value_t = 4096)]
    hidden: usize,
    #[arg(long, default_value_t = 32)]
    heads: usize,
    #[arg(long, default_value_t = 150_528)]
    vocab: usize,
    /// Measurements, of which the median and the fastest and slowest are printed.
    #[arg(long, default_value_t = 9)]
    repeats: usize,
    /// Threads to compute with; all cores unless given.
    #[arg(long)]
    threads: Option<usize>,
}

impl Common {
    /// A model of random weights, and the report's head.
    fn model(&self) -> anyhow::Result<(ChatGlm, Value)> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
        }
        let Self { layers, hidden, heads, vocab, .. } = *self;
        let (device, format) = self.compute.open()?;
        let head = json!({
            "device": format!("{:?}", device.location()),
            "weft": env!("CARGO_PKG_VERSION"),
            "dtype": format.quantization.map_or(format.dtype.as_str(), Quantization::name),
            "threads": rayon::current_num_threads(),
            "layers": layers,
            "hidden": hidden,
            "heads": heads,
            "vocab": vocab,
            "repeats": self.repeats,
        });
        let shape = Shape { layers, hidden, heads, vocab };
        Ok((shape.random(&device, format)?, head))
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let report = match args.command {
        Command::Train { common, shapes, checkpoint } => {
            let (model, mut report) = common.model()?;
            report["checkpoint"] = json!(checkpoint);
            for (batch, seq) in shapes {
                memory::reset_peak(model.device())?;
                let measured = bench::train(&model, (batch, seq), checkpoint, common.repeats)?;
                let mut timing = timing(&measured, batch * seq);
                timing["peak_gib"] = peak_gib(model.device())?;
                report[format!("{batch}x{seq}")] = timing;
            }
            report
        }
        Command::Decode { common, context } => {
            let (model, mut report) = common.model()?;
            memory::reset_peak(model.device())?;
            let context = context as usize;
            let first = bench::first_token(&model, context, common.repeats)?;
            report["first_token"] = timing(&first, context);
            let measured = bench::decode(&model, context, common.repeats)?;
            report["decode"] = timing(&measured, bench::DECODED);
            report["decode"]["peak_gib"] = peak_gib(model.device())?;
            report["decode_tok_s"] = report["decode"]["tok_s"].clone();
            report
        }
        Command::Serve { common, chats, context } => {
            let (model, mut report) = common.model()?;
            report["context"] = json!(context);
            for (name, chats) in [("one", 1), ("serve", chats as usize)] {
                memory::reset_peak(model.device())?;
                let measured = bench::serve(&model, chats, context as usize, common.repeats)?;
                report[name] = timing(&measured, chats);
                report[name]["chats"] = json!(chats);
                report[name]["peak_gib"] = peak_gib(model.device())?;
            }
            report["serve_tok_s"] = report["serve"]["tok_s"].clone();
            report
        }
        Command::Device { compute } => device(compute)?,
    };
    println!("{report}");
    Ok(())
}

fn device(compute: ComputeArgs) -> anyhow::Result<Value> {
    let (device, format) = compute.open()?;
    let rates = bench::rates(&device, format.dtype, 5)?;
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    Ok(json!({
        "device": format!("{:?}", device.location()),
        "weft": env!("CARGO_PKG_VERSION"),
        "dtype": format.dtype.as_str(),
        "threads": rayon::current_num_threads(),
        "matmul_tflop_s": round(rates.matmul_flops / 1e12),
        "copy_gb_s": round(rates.copy_bytes / 1e9),
    }))
}

/// Most memory of a GPU in use since the last reset; null on the processor.
fn peak_gib(device: &Device) -> candle_core::Result<Value> {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    Ok(json!(memory::peak(device)?.map(|bytes| (gib(bytes) * 100.0).round() / 100.0)))
}

fn timing(measured: &Measured, tokens: usize) -> Value {
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
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
