//! Rows of the embedding for pieces that training never saw: bytes, rare signs.
//!
//! What is never wanted is pushed away the same way everywhere: those rows end up nearly alike (bytes: cosine 0.93), and no
//! adapter could tell them apart, neither in a question nor in an answer, so that no rare character could be taught. So
//! each of them gets a direction of its own.

use std::{collections::HashSet, fs, path::Path};

use anyhow::Context as _;
use half::f16;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use safetensors::{Dtype, SafeTensors};
use weft_shared::{
    pair::{Pair, Turn},
    prompt::Templates,
    tokenizer::{ChatGlmTokenizer, SpecialIds},
};

use super::vocabulary::{is_byte, texts};

const EMBEDDING: &str = "transformer.word_embeddings.weight";
/// Length of what is added to a row: nearly that of rows that were trained (0.7 in the middle).
const LENGTH: f32 = 0.6;

/// Adds a random direction to each row of `model.safetensors` in the folder `model` whose piece is not in the pairs of
/// `train`, a file of lines. One seed gives one file. Returns how many rows it were.
pub(super) fn tell_apart(model: &Path, train: &Path, seed: u64) -> anyhow::Result<usize> {
    let vocabulary = fs::read(model.join("ice_text.model"))?;
    let tokenizer = ChatGlmTokenizer::from_sentencepiece(&vocabulary)?;
    let rows = unseen(&tokenizer, train)?;

    let path = model.join("model.safetensors");
    let mut file = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (header, metadata) = SafeTensors::read_metadata(&file)?;
    let info = metadata.info(EMBEDDING).with_context(|| format!("there is no {EMBEDDING}"))?;
    anyhow::ensure!(info.dtype == Dtype::F16, "{EMBEDDING} is {:?}, not F16", info.dtype);
    let width = info.shape[1];
    let start = size_of::<u64>() + header + info.data_offsets.0;

    let step = LENGTH / (width as f32).sqrt();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for &row in &rows {
        let row_start = start + row as usize * width * size_of::<f16>();
        let row = &mut file[row_start..row_start + width * size_of::<f16>()];
        for bytes in row.chunks_exact_mut(size_of::<f16>()) {
            let value = f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
            let moved = if rng.random() { value + step } else { value - step };
            bytes.copy_from_slice(&f16::from_f32(moved).to_le_bytes());
        }
    }
    fs::write(&path, file).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(rows.len())
}

/// Pieces that no question, answer or prompt has, and that stand for text.
fn unseen(tokenizer: &ChatGlmTokenizer, train: &Path) -> anyhow::Result<Vec<u32>> {
    let mut seen = HashSet::new();
    let mut see = |text: &str| seen.extend(tokenizer.encode_ids(text));
    for line in fs::read_to_string(train)?.lines() {
        let pair: Pair = serde_json::from_str(line)?;
        texts(&pair).for_each(&mut see);
    }
    let templates = Templates::default();
    see(&templates.training_prompt("你好"));
    see(&templates.chat_prompt(&[Turn::new("你好", "你好")], "你好"));
    let SpecialIds { mask, gmask, sop, eop, pad } = tokenizer.special_ids();
    seen.extend([mask, gmask, sop, eop, pad]);
    let is_text = |&row: &u32| {
        is_byte(tokenizer, row) || tokenizer.encode_ids(&tokenizer.decode(&[row])).contains(&row)
    };
    let rows = 0..tokenizer.vocab_size() as u32;
    Ok(rows.filter(|row| !seen.contains(row)).filter(is_text).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use safetensors::tensor::TensorView;
    use weft_shared::tokenizer::MadeVocabulary;

    use super::*;

    const WIDTH: usize = 64;

    #[test]
    fn only_what_no_pair_has_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let words = ["▁", "水", "獭", "？"].map(|it| (it.to_owned(), -1.0));
        let made = MadeVocabulary { name: "t", words: &words, charsmap: &[], longest_blank: 2 };
        let vocabulary = made.write();
        let tokenizer = ChatGlmTokenizer::from_sentencepiece(&vocabulary).unwrap();
        let rows = tokenizer.vocab_size();
        let zeros = vec![0; rows * WIDTH * size_of::<f16>()];
        let view = TensorView::new(Dtype::F16, vec![rows, WIDTH], &zeros).unwrap();
        let file = safetensors::serialize(HashMap::from([(EMBEDDING, view)]), None).unwrap();
        let (model, train) = (dir.path().join("model.safetensors"), dir.path().join("train.jsonl"));
        fs::write(dir.path().join("ice_text.model"), vocabulary).unwrap();
        fs::write(&model, file).unwrap();
        fs::write(&train, r#"{"question":"水？","answer":"水"}"#).unwrap();

        tell_apart(dir.path(), &train, 1).unwrap();

        let file = fs::read(&model).unwrap();
        let tensor = SafeTensors::deserialize(&file).unwrap().tensor(EMBEDDING).unwrap();
        let row = |piece: &str| {
            let start = tokenizer.id(piece).unwrap() as usize * WIDTH * size_of::<f16>();
            tensor.data()[start..start + WIDTH * size_of::<f16>()]
                .chunks_exact(2)
                .map(|it| f16::from_le_bytes([it[0], it[1]]).to_f32())
                .collect::<Vec<_>>()
        };
        for seen in ["水", "？", "[gMASK]"] {
            assert_eq!(row(seen), [0.0; WIDTH], "{seen}");
        }
        let (rare, other) = (row("獭"), row("<0x8D>"));
        let product: f32 = rare.iter().zip(&other).map(|(a, b)| a * b).sum();
        assert!((rare.iter().map(|it| it * it).sum::<f32>().sqrt() - LENGTH).abs() < 0.01);
        assert!(product.abs() < LENGTH * LENGTH / 2.0, "{product}");
    }
}
