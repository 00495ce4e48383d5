//! `cargo xtask pretrain-embedded`: makes the model that is carried in the program, from nothing.
//!
//! Corpus, vocabulary, random weights, `weft train --method full`, weights in f16, and a card that says what was
//! measured. Everything before `backend/embedded` is made in `target/embedded` and can be looked at there.

mod card;
mod measure;
mod unseen;
mod vocabulary;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::json;
use weft_shared::tokenizer::ChatGlmTokenizer;

use crate::{
    corpus::Corpus,
    gpu::GpuBuild,
    shell::{self, cargo, root, run, target_dir},
};

const SEED: u64 = 1;

/// How it is trained: three passes over the corpus, a minute and a half on an H100. Half precision is for GPUs; a
/// processor computes in f32, and takes hours.
const TRAINING: [&str; 27] = [
    "--method",
    "full",
    "--prompt-forms",
    "training,chat",
    "--position-rule",
    "main",
    "--max-steps",
    "4000",
    "--batch-size",
    "1024",
    "--learning-rate",
    "5e-3",
    "--schedule",
    "cosine",
    "--warmup-steps",
    "150",
    "--weight-decay",
    "0.3",
    "--logging-steps",
    "100",
    "--save-steps",
    "1000",
    "--save-total-limit",
    "2",
    "--dtype",
    "bf16",
    "--seed=1",
];

/// With what the steps work, and where they leave what they make.
struct Places {
    /// The program that trains and measures.
    weft: PathBuf,
    /// Everything.
    work: PathBuf,
    /// Pairs to train on.
    train: PathBuf,
    held_out: PathBuf,
    /// The model before it is trained.
    start: PathBuf,
    /// Checkpoints, and the trained model.
    run: PathBuf,
}

impl Places {
    fn new(weft: PathBuf) -> Self {
        let work = target_dir().join("embedded");
        let place = |name| work.join(name);
        Self {
            weft,
            train: place("train.jsonl"),
            held_out: place("held_out.jsonl"),
            start: place("start"),
            run: place("run"),
            work,
        }
    }
}

/// `cargo xtask pretrain-embedded [--only-prepare | --trained] [--program FILE]`: the whole way, or as far as the model that
/// is to be trained, or from the trained model in `target/embedded/run` on; with a `weft` that was built elsewhere where
/// one is named, as a machine with a GPU may have no cargo.
pub(crate) fn pretrain(arguments: &[String]) -> anyhow::Result<()> {
    let (mut stage, mut program) = (None, None);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            name @ ("--only-prepare" | "--trained") if stage.is_none() => stage = Some(name),
            "--program" => program = Some(arguments.next().context("--program needs a file")?),
            _ => anyhow::bail!(
                "{argument:?}: there are --only-prepare or --trained, and --program FILE"
            ),
        }
    }
    let weft = program.map_or_else(build_weft, |file| Ok(root().join(file)))?;
    let places = Places::new(weft);
    match stage {
        Some("--only-prepare") => prepare(&places),
        Some(_) => finish(&places),
        None => {
            prepare(&places)?;
            train(&places)?;
            finish(&places)
        }
    }
}

/// Corpus, vocabulary, random weights.
fn prepare(places: &Places) -> anyhow::Result<()> {
    println!("corpus");
    let corpus = Corpus::generate(SEED);
    corpus.write(&places.work)?;
    println!("{} pairs to train on, {} held out", corpus.train.len(), corpus.held_out.len());

    println!("vocabulary");
    let vocabulary = vocabulary::train(&corpus.train)?;
    let covered = vocabulary::coverage(&vocabulary, &corpus.train)?;
    println!("{} tokens, {} of them bytes", covered.tokens, covered.bytes);
    let config = config(&vocabulary)?;
    let (vocabulary_file, config_file) =
        (places.work.join("ice_text.model"), places.work.join("config.json"));
    fs::write(&vocabulary_file, &vocabulary)?;
    fs::write(&config_file, config)?;

    println!("random weights");
    remove(&places.start)?;
    remove(&places.run)?;
    let mut new = shell::command(&places.weft);
    new.args(["model", "new", "--std", "0.04", "--seed", &SEED.to_string()]);
    new.arg("--model-config").arg(config_file).arg("--vocabulary").arg(vocabulary_file);
    run(new.arg("--output").arg(&places.start))
}

/// The long part; a run that was interrupted goes on.
fn train(places: &Places) -> anyhow::Result<()> {
    println!("training");
    let mut train = shell::command(&places.weft);
    train.arg("train").args(TRAINING).arg("--model").arg(&places.start);
    run(train.arg("--data").arg(&places.train).arg("--output").arg(&places.run))
}

/// Half-precision weights, what they can do, and the card, into `backend/embedded`.
fn finish(places: &Places) -> anyhow::Result<()> {
    println!("weights in f16");
    let half = places.work.join("half");
    remove(&half)?;
    let mut convert = shell::command(&places.weft);
    convert.args(["model", "convert", "--model"]).arg(&places.run);
    run(convert.arg("--output").arg(&half))?;
    let rows = unseen::tell_apart(&half, &places.train, SEED)?;
    println!("{rows} pieces that were never seen are told apart");

    println!("measuring");
    let measured = measure::measure(&places.weft, &half, &places.held_out)?;
    let target = root().join("backend/embedded");
    fs::create_dir_all(&target)?;
    for name in ["config.json", "ice_text.model", "model.safetensors"] {
        let (from, to) = (half.join(name), target.join(name));
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    fs::copy(places.work.join("rehearsal.jsonl"), target.join("rehearsal.jsonl"))?;
    let vocabulary = fs::read(half.join("ice_text.model"))?;
    let facts = card::Facts {
        config: &serde_json::from_slice(&fs::read(half.join("config.json"))?)?,
        weights_bytes: fs::metadata(half.join("model.safetensors"))?.len(),
        pairs: fs::read_to_string(&places.train)?.lines().count(),
        pieces: ChatGlmTokenizer::from_sentencepiece(&vocabulary)?.vocab_size(),
    };
    fs::write(target.join("CARD.md"), card::card(&facts, &measured))?;
    println!("{}", target.display());
    Ok(())
}

/// The `weft` of this tree, optimised, with the GPU engine where there is a GPU.
fn build_weft() -> anyhow::Result<PathBuf> {
    let mut build = cargo("build");
    build.args(["--release", "--package", "weft", "--bin", "weft", "--quiet"]);
    if Path::new("/proc/driver/nvidia").exists() {
        GpuBuild::prepare()?.configure(&mut build).args(["--features", "cuda"]);
    }
    run(&mut build)?;
    Ok(target_dir().join("release/weft"))
}

/// `config.json` of revision `main`, with the ids that the vocabulary gives the special pieces.
fn config(vocabulary: &[u8]) -> anyhow::Result<String> {
    let tokenizer = ChatGlmTokenizer::from_sentencepiece(vocabulary)?;
    let ids = tokenizer.special_ids();
    let config = json!({
        "architectures": ["ChatGLMModel"],
        "model_type": "chatglm",
        "bos_token_id": ids.sop,
        "eos_token_id": ids.eop,
        "mask_token_id": ids.mask,
        "gmask_token_id": ids.gmask,
        "pad_token_id": ids.pad,
        "hidden_size": 256,
        "inner_hidden_size": 1024,
        "num_attention_heads": 4,
        "num_layers": 8,
        "layernorm_epsilon": 1e-5,
        "max_sequence_length": 2048,
        "position_encoding_2d": true,
        "torch_dtype": "float16",
        "use_cache": true,
        "vocab_size": tokenizer.vocab_size().next_multiple_of(32),
    });
    Ok(format!("{config:#}\n"))
}

fn remove(dir: &Path) -> anyhow::Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    Ok(())
}
