//! `weft bench`: how fast a model of some shape trains and decodes, with random weights. Prints one JSON object.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::bench::{self, Measured, Shape};

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
    },
    /// One token after another, with a filled cache.
    Decode {
        #[command(flatten)]
        common: Common,
        /// Tokens in the cache.
        #[arg(long, default_value_t = 512)]
        context: usize,
    },
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Where to compute; only the CPU for now.
    #[arg(long, value_parser = ["cpu"], default_value = "cpu")]
    device: String,
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
    fn shape(&self) -> anyhow::Result<Shape> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
        }
        let Self { layers, hidden, heads, vocab, .. } = *self;
        Ok(Shape { layers, hidden, heads, vocab })
    }

    fn report(&self) -> Value {
        json!({
            "device": self.device,
            "weft": env!("CARGO_PKG_VERSION"),
            "dtype": "f32",
            "threads": rayon::current_num_threads(),
            "layers": self.layers,
            "hidden": self.hidden,
            "heads": self.heads,
            "vocab": self.vocab,
            "repeats": self.repeats,
        })
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let report = match args.command {
        Command::Train { common, shapes } => {
            let shape = common.shape()?;
            let mut report = common.report();
            for (batch, seq) in shapes {
                let measured = bench::train(shape, batch, seq, common.repeats)?;
                report[format!("{batch}x{seq}")] = timing(&measured, batch * seq);
            }
            report
        }
        Command::Decode { common, context } => {
            let shape = common.shape()?;
            let mut report = common.report();
            let measured = bench::decode(shape, context, common.repeats)?;
            report["decode"] = timing(&measured, bench::DECODED);
            report["decode_tok_s"] = report["decode"]["tok_s"].clone();
            report
        }
    };
    println!("{report}");
    Ok(())
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
