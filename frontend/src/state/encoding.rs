//! How pairs are encoded: what a model asks for, and what a person chose.

use weft_shared::sample::SampleOptions;

/// A person's choices on a model: lengths, truncation and position rule are chosen, what the weights were made
/// for (rows of positions, templates) is the model's.
pub fn on_model(recommended: &SampleOptions, chosen: Option<&SampleOptions>) -> SampleOptions {
    let chosen = chosen.unwrap_or(recommended);
    SampleOptions {
        max_source_length: chosen.max_source_length,
        max_target_length: chosen.max_target_length,
        truncation: chosen.truncation,
        position_rule: chosen.position_rule,
        position_encoding_2d: recommended.position_encoding_2d,
        templates: recommended.templates.clone(),
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::sample::Truncation;

    use super::*;

    #[test]
    fn without_a_choice_the_model_has_it_all() {
        let recommended = SampleOptions { max_source_length: 64, ..SampleOptions::default() };

        assert_eq!(on_model(&recommended, None), recommended);
    }

    #[test]
    fn a_choice_stays_and_the_rows_of_positions_are_the_models() {
        let recommended = SampleOptions {
            max_source_length: 64,
            position_encoding_2d: false,
            ..SampleOptions::default()
        };
        let chosen = SampleOptions { truncation: Truncation::Drop, ..SampleOptions::default() };

        let options = on_model(&recommended, Some(&chosen));

        assert_eq!((options.max_source_length, options.truncation), (200, Truncation::Drop));
        assert!(!options.position_encoding_2d);
    }
}
