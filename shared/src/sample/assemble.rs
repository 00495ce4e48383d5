//! Ids to a sample: cut, join, label. No vocabulary is needed here.

use super::{
    Encoded, Fit, IGNORED, Sample, SampleError, SampleOptions, context_length, position_ids,
};
use crate::tokenizer::SpecialIds;

/// The ids of a pair before they are cut and joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairIds {
    /// The question in its template: what truncation may cut.
    pub prompt: Vec<u32>,
    /// Between question and answer; never cut.
    pub separator: Vec<u32>,
    /// What opens the answer, `[gMASK] <sop>`; never cut and not counted.
    pub opening: Vec<u32>,
    /// The answer without `<eop>`: what truncation may cut.
    pub answer: Vec<u32>,
}

/// Makes the sample of a pair.
pub fn assemble(
    ids: &PairIds,
    special: SpecialIds,
    options: &SampleOptions,
) -> Result<Encoded, SampleError> {
    let source_limit = question_limit(options.max_source_length, ids.separator.len())?;
    let question = Fit { tokens: ids.prompt.len(), limit: source_limit };
    let answer = Fit { tokens: ids.answer.len(), limit: options.max_target_length };
    let cut = |ids, fit: Fit| {
        options.truncation.cut(ids, fit.limit).ok_or(SampleError::TooLong { question, answer })
    };

    let mut input_ids = [cut(&ids.prompt, question)?, &ids.separator, &ids.opening].concat();
    let mut labels = vec![IGNORED; input_ids.len()];
    input_ids.extend_from_slice(cut(&ids.answer, answer)?);
    input_ids.push(special.eop);
    labels.extend(input_ids[labels.len()..].iter().map(|&id| i64::from(id)));

    let position_ids =
        position_ids(options.position_rule, &input_ids, special, options.position_encoding_2d)?;
    let context_length = context_length(&input_ids, special)?;
    Ok(Encoded {
        sample: Sample { input_ids, labels, position_ids, context_length },
        question,
        answer,
    })
}

/// Most tokens of a question whose separator has `separator` tokens.
pub(super) fn question_limit(
    max_source_length: usize,
    separator: usize,
) -> Result<usize, SampleError> {
    match max_source_length.checked_sub(separator) {
        None | Some(0) => Err(SampleError::NoRoomForQuestion { max_source_length, separator }),
        Some(limit) => Ok(limit),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::Truncation;

    const SPECIAL: SpecialIds = SpecialIds { mask: 90, gmask: 91, sop: 94, eop: 95, pad: 93 };

    #[test]
    fn only_the_answer_is_learned() {
        let sample = encode(&[1, 2, 3], &[4, 5], 10, Truncation::End).unwrap().sample;

        assert_eq!(sample.input_ids, [1, 2, 3, 8, 9, 91, 94, 4, 5, 95]);
        assert_eq!(sample.labels, [-100, -100, -100, -100, -100, -100, -100, 4, 5, 95]);
        assert_eq!(sample.context_length, 6);
    }

    #[test]
    fn cutting_spares_the_separator_and_the_end_token() {
        let end = encode(&[1, 2, 3], &[4, 5, 6], 4, Truncation::End).unwrap();
        let front = encode(&[1, 2, 3], &[4, 5, 6], 4, Truncation::Front).unwrap();

        assert_eq!(end.sample.input_ids, [1, 2, 8, 9, 91, 94, 4, 5, 95]);
        assert_eq!(front.sample.input_ids, [2, 3, 8, 9, 91, 94, 5, 6, 95]);
        assert_eq!((end.question.tokens, end.question.kept(), end.question.is_cut()), (3, 2, true));
        assert_eq!((end.answer.tokens, end.answer.kept(), end.answer.is_cut()), (3, 2, true));
    }

    #[test]
    fn a_dropped_pair_says_how_long_it_was() {
        let error = encode(&[1, 2, 3], &[4], 4, Truncation::Drop).unwrap_err();

        assert_eq!(
            error.to_string(),
            "too long: question 3 of at most 2 tokens, answer 1 of at most 2 tokens"
        );
    }

    #[test]
    fn a_separator_that_leaves_no_room_is_an_error() {
        let error = encode(&[1], &[4], 2, Truncation::End).unwrap_err();

        assert_eq!(error, SampleError::NoRoomForQuestion { max_source_length: 2, separator: 2 });
    }

    proptest! {
        #[test]
        fn every_sequence_has_one_length_and_labels_are_the_answer(
            prompt in prop::collection::vec(0..80_u32, 0..20),
            answer in prop::collection::vec(0..80_u32, 0..20),
            position_encoding_2d: bool,
        ) {
            let opening = vec![SPECIAL.gmask, SPECIAL.sop];
            let ids = PairIds { prompt, separator: vec![], opening, answer };
            let options = SampleOptions { position_encoding_2d, ..SampleOptions::default() };

            let sample = assemble(&ids, SPECIAL, &options).unwrap().sample;

            let context = ids.prompt.len() + 2;
            prop_assert_eq!(sample.labels.len(), sample.len());
            prop_assert!(sample.position_ids.rows().iter().all(|row| row.len() == sample.len()));
            prop_assert_eq!(sample.attention_mask().length, sample.len());
            prop_assert!(sample.labels[..context].iter().all(|&label| label == IGNORED));
            prop_assert!(sample.labels[context..].iter().zip(&sample.input_ids[context..]).all(|(&l, &id)| l == i64::from(id)));
            prop_assert_eq!(sample.learned(), ids.answer.len() + 1);
        }
    }

    fn encode(
        prompt: &[u32],
        answer: &[u32],
        source: usize,
        truncation: Truncation,
    ) -> Result<Encoded, SampleError> {
        let ids = PairIds {
            prompt: prompt.to_vec(),
            separator: vec![8, 9],
            opening: vec![SPECIAL.gmask, SPECIAL.sop],
            answer: answer.to_vec(),
        };
        let options = SampleOptions {
            max_source_length: source,
            max_target_length: 2,
            truncation,
            ..SampleOptions::default()
        };
        assemble(&ids, SPECIAL, &options)
    }
}
