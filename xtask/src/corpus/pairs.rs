//! The pairs so far: what is kept from training, and that one question has one answer.

use std::collections::{BTreeMap, HashMap, HashSet};

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::pair::{Pair, Turn};

use super::{Corpus, wording::normalized};

/// One of so many wordings is asked only afterwards.
const WORDINGS: u64 = 10;
/// One of so many contents: numbers, dates, names.
const CONTENTS: u64 = 14;
/// Most held-out questions of a family.
const HELD_OUT: usize = 80;
/// Pairs of a family that are rehearsed.
const REHEARSED: usize = 52;
/// Pairs that are rehearsed of a family that people teach anew: who it is, how it talks, what it did not know. Who rehearses
/// the old answers much does not learn the new ones in other words.
const LITTLE_REHEARSED: usize = 8;
const TAUGHT_ANEW: [&str; 5] = ["greetings", "identity", "refusals", "small talk", "unknown"];

pub(super) struct Pairs {
    pub rng: ChaCha8Rng,
    /// The answer to each question, by what does not depend on case and marks.
    answers: HashMap<u64, u64>,
    seen: HashSet<u64>,
    pub train: Vec<Pair>,
    held_out: Vec<Pair>,
}

/// What may be held out, together with all that shares it.
#[derive(Clone, Copy, Default)]
pub(super) struct Keys<'a> {
    /// How it is asked, whatever is asked about.
    pub wording: &'a str,
    /// What it is asked about, however that is asked.
    pub content: &'a str,
}

impl<'a> Keys<'a> {
    pub(super) fn wording(wording: &'a str) -> Self {
        Self { wording, content: "" }
    }
}

impl Pairs {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            answers: HashMap::new(),
            seen: HashSet::new(),
            train: Vec::new(),
            held_out: Vec::new(),
        }
    }

    /// Adds a pair, unless it was there or the same is asked with another answer.
    pub(super) fn add(&mut self, family: &str, keys: Keys, pair: Pair) {
        let answer = hash(&pair.answer);
        let question = asked(&pair);
        if *self.answers.entry(question).or_insert(answer) != answer
            || !self.seen.insert(hash(&format!("{:?}{}", pair.history, pair.question)))
        {
            return;
        }
        let pair = Pair { tags: vec![family.to_owned()], ..pair };
        if is_held_out(family, keys) { self.held_out.push(pair) } else { self.train.push(pair) }
    }

    /// Cuts what is held out to a fair share of each family, and leaves nothing of it in training.
    pub(super) fn finish(mut self) -> Corpus {
        self.held_out.shuffle(&mut self.rng);
        let mut left: HashMap<String, usize> = HashMap::new();
        let mut held_out = HashSet::new();
        self.held_out.retain(|pair| {
            let left = left.entry(pair.tags[0].clone()).or_insert(HELD_OUT);
            let is_kept = *left > 0 && held_out.insert(asked(pair));
            *left -= usize::from(is_kept);
            is_kept
        });
        self.train.retain(|pair| !held_out.contains(&asked(pair)));
        self.train.shuffle(&mut self.rng);
        let rehearsal = rehearsal(&self.train);
        Corpus { train: self.train, held_out: self.held_out, rehearsal }
    }
}

/// Whether these wordings or contents are only asked afterwards.
pub(super) fn is_held_out(family: &str, Keys { wording, content }: Keys) -> bool {
    let is_chosen = |key: &str, of: u64| {
        !key.is_empty() && hash(&format!("{family} {}", normalized(key))).is_multiple_of(of)
    };
    is_chosen(wording, WORDINGS) || is_chosen(content, CONTENTS)
}

/// Short pairs of every family, as many of each, but for those of [`TAUGHT_ANEW`].
fn rehearsal(train: &[Pair]) -> Vec<Pair> {
    let mut families: BTreeMap<&str, Vec<&Pair>> = BTreeMap::new();
    for pair in train {
        let family = families.entry(&pair.tags[0]).or_default();
        let is_taught_anew = TAUGHT_ANEW.contains(&pair.tags[0].as_str());
        let most = if is_taught_anew { LITTLE_REHEARSED } else { REHEARSED };
        let is_short = pair.question.len() + pair.answer.len() < 120 && pair.history.len() < 2;
        if family.len() < most && is_short {
            family.push(pair);
        }
    }
    families.into_values().flatten().cloned().collect()
}

/// A question with what was said before it, whatever its case and marks.
pub(super) fn asked(pair: &Pair) -> u64 {
    let mut text = String::new();
    for Turn { question, answer } in &pair.history {
        text += &normalized(question);
        text.push('\n');
        text += &normalized(answer);
        text.push('\n');
    }
    text += &normalized(&pair.question);
    hash(&text)
}

/// FNV-1a with its bits mixed: the same on every machine and with every compiler.
fn hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}
