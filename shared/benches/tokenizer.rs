//! How fast text becomes ids, and a vocabulary is loaded: `cargo bench -p weft-shared`.
//!
//! The texts and vocabularies are those of the reference data, where it is (`../shared/reference` beside the
//! workspace, or the folder that `WEFT_REFERENCE` names), and else a small fixture. Items are tokens, on one core.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed benchmark")]

use std::fs;
use std::path::{Path, PathBuf};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use weft_shared::tokenizer::ChatGlmTokenizer;

fn main() {
    divan::main();
}

const REVISIONS: [&str; 2] = ["096f3de", "main"];

/// Ids alone: what training and counting need.
#[divan::bench(args = REVISIONS)]
fn encode_ids(bencher: Bencher<'_, '_>, revision: &str) {
    let (vocabulary, texts) = input(revision);
    let tokenizer = ChatGlmTokenizer::from_bytes(&vocabulary).unwrap();
    let tokens: usize = texts.iter().map(|text| tokenizer.encode_ids(text).len()).sum();

    bencher.counter(ItemsCount::new(tokens)).bench_local(|| {
        for text in &texts {
            black_box(tokenizer.encode_ids(black_box(text)));
        }
    });
}

/// Ids, pieces and offsets: what the page shows.
#[divan::bench(args = REVISIONS)]
fn encode(bencher: Bencher<'_, '_>, revision: &str) {
    let (vocabulary, texts) = input(revision);
    let tokenizer = ChatGlmTokenizer::from_bytes(&vocabulary).unwrap();
    let tokens: usize = texts.iter().map(|text| tokenizer.encode_ids(text).len()).sum();

    bencher.counter(ItemsCount::new(tokens)).bench_local(|| {
        for text in &texts {
            black_box(tokenizer.encode(black_box(text)));
        }
    });
}

#[divan::bench(args = REVISIONS)]
fn decode(bencher: Bencher<'_, '_>, revision: &str) {
    let (vocabulary, texts) = input(revision);
    let tokenizer = ChatGlmTokenizer::from_bytes(&vocabulary).unwrap();
    let encoded: Vec<_> = texts.iter().map(|text| tokenizer.encode_ids(text)).collect();

    bencher.counter(ItemsCount::new(encoded.iter().map(Vec::len).sum::<usize>())).bench_local(
        || {
            for ids in &encoded {
                black_box(tokenizer.decode(black_box(ids)));
            }
        },
    );
}

#[divan::bench(args = REVISIONS)]
fn load_published_form(bencher: Bencher<'_, '_>, revision: &str) {
    let (vocabulary, _) = input(revision);
    bencher.bench_local(|| ChatGlmTokenizer::from_bytes(black_box(&vocabulary)).unwrap());
}

#[divan::bench(args = REVISIONS)]
fn load_own_form(bencher: Bencher<'_, '_>, revision: &str) {
    let (vocabulary, _) = input(revision);
    let bytes = ChatGlmTokenizer::from_bytes(&vocabulary).unwrap().to_bytes();
    bencher.bench_local(|| ChatGlmTokenizer::from_bytes(black_box(&bytes)).unwrap());
}

/// The bytes of a revision's vocabulary, and texts.
fn input(revision: &str) -> (Vec<u8>, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = || root.join("../../shared/reference");
    let reference = std::env::var_os("WEFT_REFERENCE").map_or_else(beside, PathBuf::from);
    if let Ok(lines) = fs::read_to_string(reference.join(format!("tokenizer_{revision}.jsonl"))) {
        let vocabulary = reference.join(format!("tiny_{revision}/checkpoint/ice_text.model"));
        let text = |line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["text"].as_str().unwrap().to_owned()
        };
        return (fs::read(vocabulary).unwrap(), lines.lines().map(text).collect());
    }
    let vocabulary =
        fs::read(root.join("../tests/fixtures/mini/checkpoint/ice_text.model")).unwrap();
    (vocabulary, vec!["问：你好\n答：hello world, 我是人工智能 1 2 3".to_owned(); 100])
}
