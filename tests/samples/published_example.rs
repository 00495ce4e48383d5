//! The example that the tutorial prints, number by number.

use weft_shared::pair::Pair;
use weft_shared::sample::{PositionIds, SampleEncoder, SampleOptions};

use super::published;

const INPUT_IDS: [u32; 21] = [
    20005, 84286, 20012, 31943, 98715, 83920, 87359, 83848, 87359, 20031, 20005, 20004, 87342,
    20012, 150_001, 150_004, 20005, 84122, 87359, 20035, 150_005,
];

#[test]
fn ids_labels_positions_and_mask() {
    let Some((tokenizer, _)) =
        published().into_iter().find(|(tokenizer, _)| tokenizer.special_ids().sop == 150_004)
    else {
        return;
    };

    let encoder = SampleEncoder::new(&tokenizer, SampleOptions::default()).unwrap();
    let sample = encoder.encode(&Pair::new("AI探险家帅不帅?", "非常帅!")).unwrap().sample;

    assert_eq!(sample.input_ids, INPUT_IDS);
    let labels: Vec<_> = INPUT_IDS
        .iter()
        .enumerate()
        .map(|(i, &id)| if i < 16 { -100 } else { i64::from(id) })
        .collect();
    assert_eq!(sample.labels, labels);
    // The tutorial prints sixteen zeros; its code gives fifteen.
    let block = (0..21_u32).map(|i| (i + 1).saturating_sub(15)).collect();
    assert_eq!(sample.position_ids, PositionIds::TwoRows([(0..21).collect(), block]));
    for (i, row) in sample.attention_mask().rows().into_iter().enumerate() {
        let seen = row.iter().take_while(|&&masked| !masked).count();
        assert_eq!(seen, (i + 1).max(15));
        assert!(row[seen..].iter().all(|&masked| masked));
    }
}
