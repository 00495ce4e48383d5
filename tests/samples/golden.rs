//! Labels, positions and context lengths of the reference data, from ids alone.

use weft_shared::sample::{
    GenerationPositions, PairIds, PositionRule, SampleOptions, assemble, context_length,
    position_ids,
};

use super::models;

#[test]
fn samples_are_assembled_as_the_original_does() {
    for (folder, _, golden) in models() {
        for wanted in &golden.samples {
            let prompt = wanted.labels.iter().take_while(|&&label| label == -100).count();
            let (question, answer) = wanted.input_ids.split_at(prompt);
            let (question, opening) = question.split_at(prompt - 2);
            let ids = PairIds {
                prompt: question.to_vec(),
                separator: vec![],
                opening: opening.to_vec(),
                answer: answer[..answer.len() - 1].to_vec(),
            };

            let sample =
                assemble(&ids, golden.special_ids(), &SampleOptions::default()).unwrap().sample;

            assert_eq!(sample.input_ids, wanted.input_ids, "{}", folder.display());
            assert_eq!(sample.labels, wanted.labels);
            assert_eq!(sample.position_ids, wanted.position_ids);
            assert_eq!(sample.context_length, wanted.context_len);
        }
    }
}

#[test]
fn a_mask_sample_repeats_the_position_of_the_mask() {
    for (_, _, golden) in models() {
        let (wanted, special) = (&golden.mask_sample, golden.special_ids());
        for rule in [PositionRule::V096f3de, PositionRule::Main] {
            assert_eq!(
                position_ids(rule, &wanted.input_ids, special, true),
                Ok(wanted.position_ids.clone())
            );
            assert_eq!(context_length(&wanted.input_ids, special), Ok(wanted.context_len));
        }
    }
}

#[test]
fn generation_starts_at_the_positions_of_its_revision() {
    for (folder, rule, golden) in models() {
        for wanted in &golden.generate {
            let positions =
                GenerationPositions::new(rule, &wanted.prompt_ids, golden.special_ids(), true)
                    .unwrap();

            assert_eq!([positions.prompt()], wanted.first_positions[..], "{}", folder.display());
        }
    }
}
