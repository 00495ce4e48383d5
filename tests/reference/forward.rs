//! Hidden states, logits and losses of the frozen model.

use candle_core::{D, Device, Tensor};
use weft::{
    chatglm::{Input, Pass, Trainable},
    ops::{AttentionMask, MaskRow, PositionIds},
    training::{Trainee, TrainingBatch},
};
use weft_shared::sample::{IGNORED, Sample};

use crate::golden::{GoldenSample, Reference, assert_near};

const STATES: f64 = 1e-4;
const LOSSES: f64 = 1e-5;

#[test]
fn hidden_states_and_logits_equal_the_references() {
    for reference in Reference::all() {
        for (index, golden) in reference.golden.samples.iter().enumerate() {
            let hidden = hidden_states(&reference, &golden.sample());

            reference.assert_close(&hidden, &format!("sample{index}.final_hidden"), STATES);
            assert_logits(&reference, &hidden, &format!("sample{index}"));
        }
    }
}

#[test]
fn a_sample_that_fills_a_mask_equals_the_references() {
    for reference in Reference::all() {
        let hidden = hidden_states(&reference, &reference.golden.mask_sample.sample());

        assert_logits(&reference, &hidden, "mask_sample");
    }
}

#[test]
fn losses_equal_the_references() {
    for reference in Reference::all() {
        let (pad_id, device) = (reference.special_ids().pad, weft_tests::device());
        let wanted: Vec<f64> = reference.golden.samples.iter().map(|it| it.loss_f32).collect();
        let samples: Vec<Sample> =
            reference.golden.samples.iter().map(GoldenSample::sample).collect();
        let name = reference.name;
        let trainable = Trainable { model: reference.model, parameters: Vec::new(), copies: None };
        let trainee = Trainee::full(trainable, "".into());
        let loss = |batch: TrainingBatch| {
            let labels = batch.targets.len() as f64;
            let loss = trainee.loss(&batch, None).unwrap().to_scalar::<f32>().unwrap();
            (f64::from(loss), labels)
        };

        let apart: Vec<(f64, f64)> = samples
            .iter()
            .map(|sample| loss(TrainingBatch::packed(&[sample], device).unwrap()))
            .collect();
        for ((found, _), wanted) in apart.iter().zip(wanted) {
            assert_near(name, *found, wanted, LOSSES);
        }

        // Padded to one length, or packed into one row, each token still loses what it lost alone.
        let padded = padded(&samples, pad_id, device);
        let packed = TrainingBatch::packed(&samples, device).unwrap();
        assert!(packed.tokens() < padded.tokens());
        for together in [padded, packed] {
            let (together, labels) = loss(together);
            let mean = apart.iter().map(|(loss, labels)| loss * labels).sum::<f64>() / labels;
            assert_near(name, together, mean, LOSSES);
        }
    }
}

/// Samples on the left of which there is padding up to one length, as the published tokenizer lays them.
fn padded(samples: &[Sample], pad_id: u32, device: &Device) -> TrainingBatch {
    let (batch, seq) = (samples.len(), samples.iter().map(Sample::len).max().unwrap());
    let ids = samples.iter().flat_map(|it| pad_left(&it.input_ids, seq, pad_id));
    let labels: Vec<i64> =
        samples.iter().flat_map(|it| pad_left(&it.labels, seq, IGNORED)).collect();
    let positions = samples.iter().flat_map(|it| it.position_ids.rows());
    let mask = |it: &Sample| MaskRow { padding: seq - it.len(), context: it.context_length };
    // A label is predicted at the place before it; what is no label is negative.
    let predicted = (0u32..).zip(&labels[1..]);
    let (label_rows, targets): (Vec<u32>, Vec<u32>) =
        predicted.filter_map(|(row, &label)| Some((row, u32::try_from(label).ok()?))).unzip();
    TrainingBatch {
        input: Input {
            input_ids: Tensor::from_iter(ids, device).unwrap().reshape((batch, seq)).unwrap(),
            position_ids: PositionIds {
                batch,
                rows: samples[0].position_ids.rows().len(),
                seq,
                ids: positions.flat_map(|row| pad_left(row, seq, 0)).collect(),
            },
            attention_mask: AttentionMask::new(samples.iter().map(mask).collect()),
        },
        label_rows: Tensor::new(label_rows, device).unwrap(),
        targets,
    }
}

/// `[seq]`
fn pad_left<T: Copy>(row: &[T], seq: usize, padding: T) -> Vec<T> {
    [&vec![padding; seq - row.len()], row].concat()
}

/// `[seq, model]`
fn hidden_states(reference: &Reference, sample: &Sample) -> Tensor {
    let batch = TrainingBatch::packed(&[sample], weft_tests::device()).unwrap();
    let hidden = reference.model.hidden_states(&batch.input, Pass::default()).unwrap();
    hidden.squeeze(0).unwrap()
}

/// The golden columns, and the logarithm of the sum over all of them.
fn assert_logits(reference: &Reference, hidden: &Tensor, sample: &str) {
    let logits = reference.model.logits(hidden).unwrap(); // [seq, vocab]
    let columns =
        Tensor::new(reference.golden.logit_columns.as_slice(), weft_tests::device()).unwrap();

    let shown = logits.index_select(&columns, 1).unwrap();
    reference.assert_close(&shown, &format!("{sample}.logits_cols"), STATES);
    let sums = logits.log_sum_exp(D::Minus1).unwrap();
    reference.assert_close(&sums, &format!("{sample}.logsumexp"), STATES);
}
