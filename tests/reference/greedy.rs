//! Greedy answers through the cache, token by token.

use weft::generation::{ChatMemory, Generation, SamplingOptions};

use crate::golden::Reference;

#[test]
fn greedy_answers_equal_the_references() {
    for reference in Reference::all() {
        for golden in &reference.golden.generate {
            let sampling = SamplingOptions { greedy: true, ..Default::default() };
            let mut generation = Generation::new(
                &reference.model,
                &ChatMemory::new(&reference.model),
                None,
                golden.prompt_ids.clone(),
                reference.special_ids(),
                sampling,
                golden.greedy_ids.len(),
            )
            .unwrap();

            while generation.next_token(&reference.model).unwrap().is_some() {}

            assert_eq!(generation.answer(), golden.greedy_ids, "{}", reference.name);
        }
    }
}
