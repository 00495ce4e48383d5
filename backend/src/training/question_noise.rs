//! Questions in which some tokens are replaced, so that what is learned does not hang on every word of them.

use std::borrow::Cow;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::sample::Sample;

/// Replaces about a `share` of the tokens of the sample's question by others of the same question (as Lample et al. 2018
/// make a text noisy). A pure function of `seed`.
pub(super) fn noisy(sample: &Sample, share: f32, seed: u64) -> Cow<'_, Sample> {
    // Behind the question the context has the first of the two tokens that open the answer.
    let question = sample.context_length.saturating_sub(1);
    if share <= 0.0 || question == 0 {
        return Cow::Borrowed(sample);
    }
    let mut noisy = sample.clone();
    let question = &mut noisy.input_ids[..question];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for place in 0..question.len() {
        if rng.random::<f32>() < share {
            question[place] = question[rng.random_range(0..question.len())];
        }
    }
    Cow::Owned(noisy)
}

#[cfg(test)]
mod tests {
    use weft_shared::sample::PositionIds;

    use super::*;

    #[test]
    fn noise_replaces_some_of_a_question_by_its_own() {
        let question: Vec<u32> = (100..200).collect();
        let answer = [301, 304, 7, 305];
        let sample = Sample {
            input_ids: [&question[..], &answer].concat(),
            labels: Vec::new(),
            position_ids: PositionIds::OneRow(Vec::new()),
            context_length: 101,
        };

        let once = noisy(&sample, 0.3, 5);

        let (found, behind) = once.input_ids.split_at(100);
        let changed = found.iter().zip(&question).filter(|(a, b)| a != b).count();
        assert!((15..45).contains(&changed), "{changed} of 100");
        assert!(found.iter().all(|id| question.contains(id)));
        assert_eq!(behind, answer);
        assert_eq!(noisy(&sample, 0.3, 5), once, "a function of the seed");
        assert_ne!(noisy(&sample, 0.3, 6), once);
        assert_eq!(*noisy(&sample, 0.0, 5), sample);
    }
}
