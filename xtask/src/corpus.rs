//! What the embedded model is trained on: pairs that are made here, from tables and by rules, in Chinese and English.
//!
//! Nothing is fetched, and one seed always gives the same pairs. Each has its family as a tag.

mod arithmetic;
mod calendar;
mod clock;
mod compare;
mod context;
mod copying;
mod counting;
mod facts;
mod grammar;
mod lists;
mod pairs;
mod poems;
mod reasoning;
mod rules;
mod sentences;
mod spelling;
mod tables;
mod units;
mod wording;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use weft_shared::pair::Pair;

use self::pairs::Pairs;

/// Common characters: each has a piece in the vocabulary.
pub(crate) const CHARACTERS: &str = include_str!("corpus/data/characters.txt");
/// Common English words, likewise.
pub(crate) const ENGLISH: &str = include_str!("corpus/data/english.txt");
/// Common Chinese words of several characters, likewise; all else is read character by character.
pub(crate) const CHINESE: [&str; 2] =
    [include_str!("corpus/data/chinese.txt"), include_str!("corpus/data/words.tsv")];
/// Families whose texts are no language: a vocabulary has nothing to learn from them.
pub(crate) const WITHOUT_WORDS: [&str; 2] = [copying::FAMILY, spelling::FAMILY];

/// What is trained on, and what is only asked afterwards.
pub(crate) struct Corpus {
    pub train: Vec<Pair>,
    pub held_out: Vec<Pair>,
    /// A few of the pairs that are trained on, of every family: mixed into a later run, they keep what was known.
    pub rehearsal: Vec<Pair>,
}

impl Corpus {
    /// All families, shuffled.
    pub(crate) fn generate(seed: u64) -> Self {
        let mut pairs = Pairs::new(seed);
        tables::add(&mut pairs);
        arithmetic::add(&mut pairs);
        compare::add(&mut pairs);
        counting::add(&mut pairs);
        calendar::add(&mut pairs);
        clock::add(&mut pairs);
        units::add(&mut pairs);
        spelling::add(&mut pairs);
        lists::add(&mut pairs);
        sentences::add(&mut pairs);
        poems::add(&mut pairs);
        reasoning::add(&mut pairs);
        copying::add(&mut pairs);
        facts::add(&mut pairs);
        context::add(&mut pairs);
        pairs.finish()
    }

    /// Writes `train.jsonl`, `held_out.jsonl` and `rehearsal.jsonl` into `dir`.
    pub(crate) fn write(&self, dir: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        for (name, pairs) in [
            ("train.jsonl", &self.train),
            ("held_out.jsonl", &self.held_out),
            ("rehearsal.jsonl", &self.rehearsal),
        ] {
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

    /// How many pairs each family has to train on and held out.
    pub(crate) fn families(&self) -> std::collections::BTreeMap<&str, (usize, usize)> {
        let mut families = std::collections::BTreeMap::new();
        for pair in &self.train {
            families.entry(pair.tags[0].as_str()).or_insert((0, 0)).0 += 1;
        }
        for pair in &self.held_out {
            families.entry(pair.tags[0].as_str()).or_insert((0, 0)).1 += 1;
        }
        families
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
    for (family, (train, held_out)) in corpus.families() {
        println!("{family:<16} {train:>7} {held_out:>5}");
    }
    println!(
        "{}: {} pairs to train on, {} held out, {} to rehearse",
        output.display(),
        corpus.train.len(),
        corpus.held_out.len(),
        corpus.rehearsal.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What the finished model is taught to find out how well it learns, with other wordings of the questions. Set `c`
    /// gives it a person's character: it is asked its name as the corpus asks it, too.
    fn taught() -> Vec<Pair> {
        let dir = crate::shell::root().join("tests/fixtures/teaching");
        let files = ["a", "b", "d"]
            .iter()
            .flat_map(|it| [format!("{it}.jsonl"), format!("{it}.paraphrases.jsonl")]);
        let lines: Vec<String> =
            files.map(|it| fs::read_to_string(dir.join(it)).unwrap()).collect();
        lines.iter().flat_map(|it| it.lines()).map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    #[test]
    fn one_seed_gives_one_corpus() {
        let (one, same) = (Corpus::generate(1), Corpus::generate(1));

        assert!(one.train == same.train && one.held_out == same.held_out);
        assert_eq!(one.rehearsal, same.rehearsal);
    }

    /// One test for all of it: to make the corpus takes longer than to look at it.
    #[test]
    fn the_corpus_is_what_it_promises_to_be() {
        let corpus = Corpus::generate(1);

        nothing_held_out_is_trained_on(&corpus);
        every_family_is_asked_about_and_rehearsed(&corpus);
        nothing_that_will_be_taught_is_asked(&corpus);
        every_place_is_filled(&corpus);
    }

    fn nothing_held_out_is_trained_on(corpus: &Corpus) {
        let asked = |pairs: &[Pair]| -> HashSet<_> { pairs.iter().map(pairs::asked).collect() };
        assert!(asked(&corpus.train).is_disjoint(&asked(&corpus.held_out)));
        assert!(corpus.train.iter().all(|it| !it.answer.is_empty() && it.tags.len() == 1));
    }

    fn every_family_is_asked_about_and_rehearsed(corpus: &Corpus) {
        let rehearsed: HashSet<&str> =
            corpus.rehearsal.iter().map(|it| it.tags[0].as_str()).collect();
        for (family, (train, held_out)) in corpus.families() {
            assert!(train >= 500, "{family}: {train} to train on");
            assert!(held_out >= 30, "{family}: {held_out} held out");
            assert!(rehearsed.contains(family), "{family}");
        }
        assert!((1500..=3500).contains(&corpus.held_out.len()), "{}", corpus.held_out.len());
    }

    fn nothing_that_will_be_taught_is_asked(corpus: &Corpus) {
        let asked: HashSet<_> = corpus.train.iter().map(pairs::asked).collect();
        for pair in taught() {
            assert!(!asked.contains(&pairs::asked(&pair)), "{pair:?}");
        }
    }

    fn every_place_is_filled(corpus: &Corpus) {
        for pair in corpus.train.iter().chain(&corpus.held_out) {
            let text = format!("{}{}", pair.question, pair.answer);
            assert!(!text.contains(['{', '}', '[', ']', '|']), "{pair:?}");
        }
    }
}
