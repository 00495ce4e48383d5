//! The sample as a table: a column a token, a row for each number that the model reads or learns.

use weft_shared::sample::{Encoded, IGNORED, Part};

use crate::state::chip::Chip;

/// A token of the sample with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Of its chip.
    pub chip: usize,
    /// Its index in the sample.
    pub place: usize,
    pub origin: Part,
    /// As its chip shows it.
    pub shown: String,
    pub class: &'static str,
    pub hue: u32,
    pub id: u32,
    pub label: i64,
    /// One position, or two.
    pub positions: Vec<u32>,
    /// How many places it sees, from the first.
    pub sees: usize,
}

impl Column {
    pub fn is_learned(&self) -> bool {
        self.label != IGNORED
    }
}

/// The columns of the tokens on show.
pub fn columns(chips: &[Chip], encoded: &Encoded) -> Vec<Column> {
    let sample = &encoded.sample;
    let mask = sample.attention_mask();
    let in_sample = chips.iter().filter_map(|chip| {
        let place = chip.place?;
        Some(Column {
            chip: chip.index,
            place,
            origin: chip.origin,
            shown: chip.shown.clone(),
            class: chip.class(),
            hue: chip.hue(),
            id: chip.id,
            label: *sample.labels.get(place)?,
            positions: sample.position_ids.rows().iter().map(|row| row[place]).collect(),
            sees: mask.seen_until(place),
        })
    });
    in_sample.collect()
}

/// Neighbouring columns of one origin, and how many they are.
pub fn bands(columns: &[Column]) -> Vec<(Part, usize)> {
    columns.chunk_by(|a, b| a.origin == b.origin).map(|run| (run[0].origin, run.len())).collect()
}

#[cfg(test)]
mod tests {
    use weft_shared::{
        pair::Pair,
        sample::{Fit, PositionIds, Sample, SourcedToken},
    };

    use super::*;
    use crate::{state::chip::chips, worker::Sampled};

    #[test]
    fn a_column_holds_all_numbers_of_its_token() {
        let columns = columns(&chips(&sampled()), &encoded());

        let read = &columns[0];
        assert_eq!((read.id, read.label, read.is_learned()), (7, -100, false));
        assert_eq!((read.positions.as_slice(), read.sees), ([0, 0].as_slice(), 1));
        let learned = &columns[2];
        assert_eq!((learned.chip, learned.place, learned.label), (3, 2, 9));
        assert_eq!((learned.positions.as_slice(), learned.sees), ([2, 2].as_slice(), 3));
    }

    #[test]
    fn neighbours_of_one_origin_share_a_band() {
        let columns = columns(&chips(&sampled()), &encoded());

        assert_eq!(bands(&columns), [(Part::Question, 1), (Part::Opening, 1), (Part::Answer, 1)]);
    }

    /// Four tokens, the second cut from the sample.
    fn sampled() -> Sampled {
        let token = |id, part, place| SourcedToken {
            id,
            piece: "a".into(),
            start: 0,
            end: 1,
            part,
            span: None,
            place,
        };
        let tokens = vec![
            token(7, Part::Question, Some(0)),
            token(7, Part::Question, None),
            token(8, Part::Opening, Some(1)),
            token(9, Part::Answer, Some(2)),
        ];
        Sampled { text: "a".into(), tokens, ..Sampled::empty(1, Pair::default()) }
    }

    fn encoded() -> Encoded {
        let fit = Fit { tokens: 1, limit: 1 };
        let sample = Sample {
            input_ids: vec![7, 8, 9],
            labels: vec![IGNORED, IGNORED, 9],
            position_ids: PositionIds::TwoRows([vec![0, 1, 2], vec![0, 1, 2]]),
            context_length: 1,
        };
        Encoded { sample, question: fit, answer: fit }
    }
}
