//! Questions in which some tokens are replaced, so that what is learned does not hang on every word of them.

use std::borrow::Cow;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weft_shared::sample::Sample;

/// Replaces about a `share` of the tokens of the sample's question: half of them by others of the same question (as Lample
/// et al. 2018 make a text noisy), half by tokens of the questions of `others`, as other wordings have other words. Without
/// `others` all are the question's own. A pure function of `seed`.
pub(super) fn noisy<'a>(
    sample: &'a Sample,
    share: f32,
    others: &[Sample],
    seed: u64,
) -> Cow<'a, Sample> {
    let tokens = question_tokens(sample);
    if share <= 0.0 || tokens == 0 {
        return Cow::Borrowed(sample);
    }
    let mut noisy = sample.clone();
    let question = &mut noisy.input_ids[..tokens];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for place in 0..tokens {
        if rng.random::<f32>() >= share {
            continue;
        }
        let is_foreign = rng.random::<f32>() < 0.5 && !others.is_empty();
        question[place] = if is_foreign {
            let other = &others[rng.random_range(0..others.len())];
            other.input_ids[rng.random_range(0..question_tokens(other).max(1))]
        } else {
            question[rng.random_range(0..tokens)]
        };
    }
    Cow::Owned(noisy)
}

/// Tokens of the question: behind it the context has the first of the two that open the answer.
fn question_tokens(sample: &Sample) -> usize {
    sample.context_length.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use weft_shared::sample::PositionIds;

    use super::*;

    /// With a question of these ids.
    fn sample(question: impl Iterator<Item = u32>) -> Sample {
        let question: Vec<u32> = question.collect();
        let context_length = question.len() + 1;
        Sample {
            input_ids: [question, vec![301, 304, 7, 305]].concat(),
            labels: Vec::new(),
            position_ids: PositionIds::OneRow(Vec::new()),
            context_length,
        }
    }

    #[test]
    fn noise_replaces_some_of_a_question_by_its_own_and_by_others() {
        let clean = sample(100..200);
        for (others, foreign) in [(vec![], 0..1), (vec![sample(400..450), sample(450..452)], 5..30)]
        {
            let once = noisy(&clean, 0.3, &others, 5);

            let (found, behind) = once.input_ids.split_at(100);
            let changed = found.iter().zip(&clean.input_ids).filter(|(a, b)| a != b).count();
            assert!((15..45).contains(&changed), "{changed} of 100");
            let strangers: Vec<_> = found.iter().filter(|id| !(100..200).contains(*id)).collect();
            assert!(foreign.contains(&strangers.len()), "{strangers:?}");
            assert!(strangers.iter().all(|id| (400..452).contains(*id)), "{strangers:?}");
            assert_eq!(behind, [301, 304, 7, 305]);
            assert_eq!(noisy(&clean, 0.3, &others, 5), once, "a function of the seed");
            assert_ne!(noisy(&clean, 0.3, &others, 6), once);
            assert_eq!(*noisy(&clean, 0.0, &others, 5), clean);
        }
    }
}
