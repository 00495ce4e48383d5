//! What the embedded model is trained on: pairs that are made here, from tables and by rules, in Chinese and English.
//!
//! Nothing is fetched, and one seed always gives the same pairs. Each has its family as a tag.

mod arithmetic;
mod calendar;
mod dialogue;
mod echo;
mod intents;
mod numbers;
mod tables;
mod wording;

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};
use weft_shared::pair::{Pair, Turn};

use self::wording::Language;

pub(crate) use self::echo::{CHARACTERS, WITHOUT_WORDS};

/// One of so many things that can be asked is held out.
const HELD_OUT_OF: u8 = 25;

/// What is trained on, and what is only asked afterwards.
pub(crate) struct Corpus {
    pub train: Vec<Pair>,
    pub held_out: Vec<Pair>,
}

impl Corpus {
    /// All families, shuffled.
    pub(crate) fn generate(seed: u64) -> Self {
        let mut pairs = Pairs::new(seed);
        intents::add(&mut pairs);
        tables::add(&mut pairs);
        arithmetic::add(&mut pairs);
        numbers::add(&mut pairs);
        calendar::add(&mut pairs);
        echo::add(&mut pairs);
        dialogue::add(&mut pairs);
        pairs.train.shuffle(&mut pairs.rng);
        Self { train: pairs.train, held_out: pairs.held_out }
    }

    /// Writes `train.jsonl` and `held_out.jsonl` into `dir`.
    pub(crate) fn write(&self, dir: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        for (name, pairs) in [("train.jsonl", &self.train), ("held_out.jsonl", &self.held_out)] {
            let mut lines = String::new();
            for pair in pairs {
                lines += &serde_json::to_string(pair)?;
                lines.push('\n');
            }
            let file = dir.join(name);
            fs::write(&file, lines).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}

/// `cargo xtask corpus [--output DIR] [--seed N]`.
pub(crate) fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    let (mut output, mut seed) = (crate::shell::target_dir().join("corpus"), 1);
    let mut arguments = arguments.into_iter();
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--output" => output = PathBuf::from(value),
            "--seed" => seed = value.parse().with_context(|| format!("{value:?} is no seed"))?,
            _ => anyhow::bail!("no option {name:?}; there are --output and --seed"),
        }
    }
    let corpus = Corpus::generate(seed);
    corpus.write(&output)?;
    println!(
        "{}: {} pairs to train on, {} held out",
        output.display(),
        corpus.train.len(),
        corpus.held_out.len()
    );
    Ok(())
}

/// The pairs so far, and the randomness that they come from.
struct Pairs {
    rng: ChaCha8Rng,
    /// What was asked already, with what was said before it: a question has one answer.
    asked: HashSet<(Vec<Turn>, String)>,
    train: Vec<Pair>,
    held_out: Vec<Pair>,
}

impl Pairs {
    fn new(seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, asked: HashSet::new(), train: Vec::new(), held_out: Vec::new() }
    }

    /// Adds a pair, unless it was there. Pairs with one `key` are held out together or not at all.
    fn add(&mut self, family: &str, key: &str, pair: Pair) {
        if !self.asked.insert((pair.history.clone(), pair.question.clone())) {
            return;
        }
        let pair = Pair { tags: vec![family.to_owned()], ..pair };
        let held_out = Sha256::digest(key.as_bytes())[0].is_multiple_of(HELD_OUT_OF);
        if held_out { self.held_out.push(pair) } else { self.train.push(pair) }
    }

    /// Adds `number` wordings of one question; each may be held out, so that what is measured is other wordings.
    fn add_wordings(
        &mut self,
        family: &str,
        language: Language,
        question: &str,
        answer: &str,
        number: usize,
    ) {
        for _ in 0..number {
            let asked = wording::ask(language, question, &mut self.rng);
            self.add(family, &asked, Pair::new(&asked, answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_corpus() {
        let (one, same, other) = (Corpus::generate(1), Corpus::generate(1), Corpus::generate(2));

        assert_eq!(one.train, same.train);
        assert_eq!(one.held_out, same.held_out);
        assert_ne!(one.train, other.train);
    }

    #[test]
    fn what_is_held_out_is_not_trained_on() {
        let corpus = Corpus::generate(1);

        let asked = |pairs: &[Pair]| -> HashSet<(Vec<Turn>, String)> {
            pairs.iter().map(|it| (it.history.clone(), it.question.clone())).collect()
        };
        assert!(asked(&corpus.train).is_disjoint(&asked(&corpus.held_out)));
        assert!(!corpus.held_out.is_empty());
        assert!(corpus.train.iter().all(|it| !it.answer.is_empty() && it.tags.len() == 1));
    }
}
