//! Pairs to samples, held to what the original code computes.
#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod golden;
mod published_example;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use weft_shared::pair::Turn;
use weft_shared::sample::{PositionIds, PositionRule};
use weft_shared::tokenizer::{ChatGlmTokenizer, SpecialIds};

/// What the original code computed for one model.
#[derive(Deserialize)]
struct Golden {
    special: GoldenSpecial,
    samples: Vec<GoldenSample>,
    mask_sample: MaskSample,
    generate: Vec<Generate>,
}

#[derive(Deserialize)]
struct GoldenSpecial {
    bos: u32,
    eop: u32,
    gmask: u32,
    mask: u32,
    pad: u32,
}

#[derive(Deserialize)]
struct GoldenSample {
    question: String,
    answer: String,
    input_ids: Vec<u32>,
    labels: Vec<i64>,
    position_ids: PositionIds,
    context_len: usize,
}

/// A sequence that fills a `[MASK]`.
#[derive(Deserialize)]
struct MaskSample {
    input_ids: Vec<u32>,
    position_ids: PositionIds,
    context_len: usize,
}

#[derive(Deserialize)]
struct Generate {
    history: Vec<Turn>,
    query: String,
    prompt: String,
    prompt_ids: Vec<u32>,
    /// `[batch, row, seq]` of the first pass.
    first_positions: Vec<PositionIds>,
}

impl Golden {
    fn special_ids(&self) -> SpecialIds {
        let GoldenSpecial { bos, eop, gmask, mask, pad } = self.special;
        SpecialIds { mask, gmask, sop: bos, eop, pad }
    }
}

/// Each model with known numbers: its folder, the rule of its revision, the numbers.
fn models() -> Vec<(PathBuf, PositionRule, Golden)> {
    let tiny = weft_tests::reference().map(|reference| {
        [
            (reference.join("tiny_096f3de"), PositionRule::V096f3de),
            (reference.join("tiny_main"), PositionRule::Main),
        ]
    });
    let mini = [(weft_tests::fixture("mini"), PositionRule::Main)];
    mini.into_iter()
        .chain(tiny.into_iter().flatten())
        .map(|(folder, rule)| {
            let golden = fs::read(folder.join("golden.json")).unwrap();
            (folder, rule, serde_json::from_slice(&golden).unwrap())
        })
        .collect()
}

/// The published vocabularies, each with its model's numbers. Those of `mini` were made with another vocabulary than
/// it has here.
fn published() -> Vec<(ChatGlmTokenizer, Golden)> {
    let published = models().into_iter().filter(|(folder, ..)| !folder.ends_with("mini"));
    published.map(|(folder, _, golden)| (tokenizer(&folder), golden)).collect()
}

/// Every vocabulary there is.
fn tokenizers() -> Vec<ChatGlmTokenizer> {
    models().iter().map(|(folder, ..)| tokenizer(folder)).collect()
}

fn tokenizer(folder: &Path) -> ChatGlmTokenizer {
    let vocabulary = fs::read(folder.join("checkpoint/ice_text.model")).unwrap();
    let tokenizer = ChatGlmTokenizer::from_bytes(&vocabulary).unwrap();
    match fs::read(folder.join("checkpoint/tokenizer_config.json")) {
        Ok(config) => tokenizer.with_config(&config).unwrap(),
        Err(_) => tokenizer,
    }
}
