//! Picks the next token from a row of logits, as the reference's `generate` does.

use std::cmp::Ordering;

use candle_core::{DType, Result as Computed, Tensor};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::ops::{self, Draw};

/// The logit that the reference gives the replacement token when a row is invalid.
const REPLACEMENT_LOGIT: f32 = 5e4;

/// How tokens are picked. The default is the reference's `chat`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingOptions {
    /// Always the likeliest token; nothing below but the repetition penalty applies.
    pub greedy: bool,
    /// Divides the logits: below 1 sharper, above 1 flatter.
    pub temperature: f32,
    /// The likeliest tokens whose probabilities reach this sum; 1 keeps all.
    pub top_p: f32,
    /// The so many likeliest tokens; 0 keeps all. `transformers` keeps 50 unless told otherwise.
    pub top_k: usize,
    /// Divides (multiplies, where negative) the logits of tokens already there; 1 leaves them.
    pub repetition_penalty: f32,
    /// Two runs with one seed pick the same tokens.
    pub seed: u64,
}

impl Default for SamplingOptions {
    fn default() -> Self {
        Self {
            greedy: false,
            temperature: 0.95,
            top_p: 0.7,
            top_k: 50,
            repetition_penalty: 1.0,
            seed: 0,
        }
    }
}

/// Why sampling options cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} must be {wanted}, found {found}")]
pub struct InvalidSampling {
    pub name: &'static str,
    pub wanted: &'static str,
    pub found: f32,
}

/// The state of one generation's sampling.
#[derive(Clone, Debug)]
pub struct Sampler {
    options: SamplingOptions,
    /// The token that takes the place of a row with a NaN or an infinity (`▁`).
    replacement: u32,
    rng: ChaCha8Rng,
    /// The random number of the next token, once it is drawn: a pass that fails is tried again with the same.
    point: Option<f32>,
    /// Scratch: tokens still in the race, likeliest first.
    candidates: Vec<(u32, f32)>,
}

impl Sampler {
    /// `replacement` is the token the reference's `InvalidScoreLogitsProcessor` falls back to.
    pub fn new(options: SamplingOptions, replacement: u32) -> Result<Self, InvalidSampling> {
        let check = |holds: bool, name, wanted, found| {
            if holds { Ok(()) } else { Err(InvalidSampling { name, wanted, found }) }
        };
        let SamplingOptions { temperature, top_p, repetition_penalty, .. } = options;
        let positive = |value: f32| value.is_finite() && value > 0.0;
        check(positive(temperature), "temperature", "above 0", temperature)?;
        check(top_p > 0.0 && top_p <= 1.0, "top_p", "above 0 and at most 1", top_p)?;
        check(positive(repetition_penalty), "repetition_penalty", "above 0", repetition_penalty)?;
        let rng = ChaCha8Rng::seed_from_u64(options.seed);
        Ok(Self { options, replacement, rng, point: None, candidates: Vec::new() })
    }

    /// The next token of each row of `logits` `[rows, vocab]`, by its sampler and after what it has seen (prompt and answer
    /// so far). The logits are used up, and stay where they are if the device can draw itself.
    pub fn pick_rows(logits: &Tensor, rows: &mut [(&mut Self, &[u32])]) -> Computed<Vec<u32>> {
        let seen_once: Vec<_> =
            rows.iter().map(|(it, seen)| once(seen, it.options.repetition_penalty)).collect();
        let draws = rows.iter_mut().zip(&seen_once).map(|((it, _), penalized)| it.draw(penalized));
        let picked = if let Some(picked) = ops::sample(logits, &draws.collect::<Vec<_>>())? {
            picked
        } else {
            let mut picked = Vec::new();
            for (row, ((sampler, _), penalized)) in rows.iter_mut().zip(&seen_once).enumerate() {
                let mut logits = logits.get(row)?.to_dtype(DType::F32)?.to_vec1()?;
                picked.push(sampler.pick_penalizing(&mut logits, penalized));
            }
            picked
        };
        for (sampler, _) in rows {
            sampler.point = None;
        }
        Ok(picked)
    }

    /// How the next token is to be drawn.
    fn draw<'a>(&mut self, penalized: &'a [u32]) -> Draw<'a> {
        let SamplingOptions { greedy, temperature, top_p, top_k, repetition_penalty, .. } =
            self.options;
        Draw {
            replacement: self.replacement,
            penalty: repetition_penalty,
            penalized,
            top_k: if greedy { 1 } else { top_k },
            temperature,
            top_p,
            point: self.point(),
        }
    }

    fn point(&mut self) -> f32 {
        *self.point.get_or_insert_with(|| self.rng.random())
    }

    /// The same of one row that is here.
    pub fn pick(&mut self, logits: &mut [f32], seen: &[u32]) -> u32 {
        let picked = self.pick_penalizing(logits, &once(seen, self.options.repetition_penalty));
        self.point = None;
        picked
    }

    fn pick_penalizing(&mut self, logits: &mut [f32], penalized: &[u32]) -> u32 {
        replace_invalid(logits, self.replacement);
        penalize(logits, penalized, self.options.repetition_penalty);
        if self.options.greedy {
            return likeliest(logits);
        }

        self.keep_top_k(logits);
        self.pick_candidate()
    }

    /// One of the candidates, which are sorted.
    fn pick_candidate(&mut self) -> u32 {
        let temperature = self.options.temperature;
        let highest = self.candidates.first().map_or(0.0, |&(_, logit)| logit);
        let mut sum = 0.0;
        for (_, logit) in &mut self.candidates {
            *logit = ((*logit - highest) / temperature).exp();
            sum += *logit;
        }
        let kept = self.keep_top_p(sum);

        let mut point = self.point() * kept;
        for &(token, weight) in &self.candidates {
            point -= weight;
            if point < 0.0 {
                return token;
            }
        }
        self.candidates.last().map_or(self.replacement, |&(token, _)| token)
    }

    fn keep_top_k(&mut self, logits: &[f32]) {
        let likelier = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        self.candidates.clear();
        self.candidates.extend((0u32..).zip(logits.iter().copied()));
        let top_k = self.options.top_k;
        if top_k > 0 && top_k < self.candidates.len() {
            self.candidates.select_nth_unstable_by(top_k - 1, likelier);
            self.candidates.truncate(top_k);
        }
        self.candidates.sort_unstable_by(likelier);
    }

    /// Drops the unlikely tail of candidates whose weights sum to `sum`; gives the sum of the rest.
    fn keep_top_p(&mut self, sum: f32) -> f32 {
        let enough = self.options.top_p * sum;
        let mut kept = 0.0;
        let mut count = 0;
        for &(_, weight) in &self.candidates {
            kept += weight;
            count += 1;
            if kept >= enough {
                break;
            }
        }
        self.candidates.truncate(count);
        kept
    }
}

/// `InvalidScoreLogitsProcessor`: a row with a NaN or an infinity becomes zeros and one certain token.
fn replace_invalid(logits: &mut [f32], replacement: u32) {
    if logits.iter().all(|logit| logit.is_finite()) {
        return;
    }
    logits.fill(0.0);
    if let Some(logit) = logits.get_mut(replacement as usize) {
        *logit = REPLACEMENT_LOGIT;
    }
}

/// `RepetitionPenaltyLogitsProcessor`: each token that was seen counts once, however often it was seen ([`once`]).
fn penalize(logits: &mut [f32], penalized: &[u32], penalty: f32) {
    for &token in penalized {
        if let Some(logit) = logits.get_mut(token as usize) {
            *logit = if *logit < 0.0 { *logit * penalty } else { *logit / penalty };
        }
    }
}

/// Each token of `seen` once; none where nothing is penalized.
fn once(seen: &[u32], penalty: f32) -> Vec<u32> {
    #[expect(clippy::float_cmp, reason = "1 is exactly no penalty")]
    if penalty == 1.0 {
        return Vec::new();
    }
    let mut seen = seen.to_vec();
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// The first of the highest logits.
fn likeliest(logits: &[f32]) -> u32 {
    let mut best = (0u32, f32::NEG_INFINITY);
    for (token, &logit) in (0u32..).zip(logits) {
        if logit.partial_cmp(&best.1) == Some(Ordering::Greater) {
            best = (token, logit);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLACEMENT: u32 = 2;

    #[test]
    fn greedy_takes_the_first_of_the_highest() {
        assert_eq!(sampler(greedy()).pick(&mut [0.0, 3.0, 3.0, 1.0], &[]), 1);
    }

    #[test]
    fn a_row_with_a_nan_or_an_infinity_gives_the_replacement() {
        for invalid in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for options in [greedy(), SamplingOptions::default()] {
                assert_eq!(sampler(options).pick(&mut [9.0, invalid, 0.0, 1.0], &[]), REPLACEMENT);
            }
        }
    }

    #[test]
    fn top_k_and_top_p_leave_only_the_likely() {
        let two = SamplingOptions { top_k: 2, top_p: 1.0, ..Default::default() };
        let half = SamplingOptions { top_p: 0.5, ..Default::default() };

        for (options, allowed) in [(two, &[0, 3][..]), (half, &[3])] {
            let mut sampler = sampler(options);
            for _ in 0..200 {
                let token = sampler.pick(&mut [2.0, 1.0, 0.0, 4.0], &[]);
                assert!(allowed.contains(&token), "{token}");
            }
        }
    }

    #[test]
    fn frequencies_follow_the_softmax() {
        let mut sampler = sampler(SamplingOptions {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            ..Default::default()
        });

        let ones = (0..20_000).filter(|_| sampler.pick(&mut [0.0, 1.0], &[]) == 1).count();

        let expected = 20_000.0 * 1f64.exp() / (1.0 + 1f64.exp());
        assert!((ones as f64 - expected).abs() < 300.0, "{ones} of 20000");
    }

    #[test]
    fn one_seed_picks_the_same_tokens() {
        let picks = |seed| {
            let options = SamplingOptions { seed, top_p: 1.0, ..Default::default() };
            let mut sampler = sampler(options);
            (0..50).map(|_| sampler.pick(&mut [0.1, 0.2, 0.3, 0.4], &[])).collect::<Vec<_>>()
        };

        assert_eq!(picks(7), picks(7));
        assert_ne!(picks(7), picks(8));
    }

    #[test]
    fn the_penalty_counts_a_repeated_token_once() {
        let options = SamplingOptions { repetition_penalty: 2.0, ..greedy() };
        let mut logits = [4.0, -1.0, 3.0];

        assert_eq!(sampler(options).pick(&mut logits, &[0, 0, 1]), 2);
        assert_eq!(logits, [2.0, -2.0, 3.0]);
    }

    #[test]
    fn options_out_of_range_are_refused_by_name() {
        let options = SamplingOptions { top_p: 1.5, ..Default::default() };

        let error = Sampler::new(options, REPLACEMENT).unwrap_err();

        assert_eq!(error.to_string(), "top_p must be above 0 and at most 1, found 1.5");
    }

    fn greedy() -> SamplingOptions {
        SamplingOptions { greedy: true, ..Default::default() }
    }

    fn sampler(options: SamplingOptions) -> Sampler {
        Sampler::new(options, REPLACEMENT).unwrap()
    }
}
