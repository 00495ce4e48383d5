//! The estimate against what was measured, and what must follow from what.

use weft_shared::{api::estimate::Estimate, training::LoraOptions};

use super::*;
use crate::ops::Quantization;

/// A row of `docs/performance.md`, of one H200.
struct Row {
    batch: usize,
    /// Of each sample.
    tokens: usize,
    /// What is not as in [`published`].
    change: Option<Change<'static>>,
    peak_gib: f64,
    step_ms: f64,
}

const fn row(batch: usize, tokens: usize, peak_gib: f64, step_ms: f64) -> Row {
    Row { batch, tokens, change: None, peak_gib, step_ms }
}

impl Row {
    const fn with(self, change: Change<'static>) -> Self {
        Self { change: Some(change), ..self }
    }
}

/// The first five, and the last two for adapters, are what the rates were fitted to.
const MEASURED: [Row; 19] = [
    row(1, 128, 12.09, 10.34),
    row(1, 512, 13.17, 22.01),
    row(1, 700, 13.69, 29.63),
    row(4, 512, 17.03, 81.64),
    row(1, 2048, 17.03, 89.22),
    row(1, 700, 12.18, 38.87).with(&|it| it.checkpoint = true),
    row(4, 512, 12.64, 107.86).with(&|it| it.checkpoint = true),
    row(1, 2048, 12.64, 115.40).with(&|it| it.checkpoint = true),
    row(1, 700, 5.82, 37.75).with(&|it| it.weights = Quantization::Int4.into()),
    row(1, 2048, 9.16, 97.06).with(&|it| it.weights = Quantization::Int4.into()),
    row(1, 700, 4.31, 49.92).with(&int4_again),
    row(1, 2048, 4.77, 127.15).with(&int4_again),
    row(1, 700, 8.44, 39.21).with(&|it| it.weights = Quantization::Int8.into()),
    row(1, 512, 13.31, 26.52).with(&|it| it.learning = all_layers(8)),
    row(1, 2048, 17.18, 99.27).with(&|it| it.learning = all_layers(8)),
    row(1, 512, 13.51, 28.23).with(&|it| it.learning = all_layers(16)),
    row(1, 2048, 17.38, 103.84).with(&|it| it.learning = all_layers(16)),
    row(1, 512, 14.69, 44.98).with(&|it| it.learning = all_layers(64)),
    row(1, 2048, 18.59, 139.46).with(&|it| it.learning = all_layers(64)),
];

fn int4_again(workload: &mut Workload) {
    workload.weights = Quantization::Int4.into();
    workload.checkpoint = true;
}

/// Adapters on all four linear layers.
fn all_layers(r: usize) -> Learning {
    Learning::Lora { r, targets: Target::ALL.to_vec(), dropout: true }
}

/// Of a run.
type Change<'a> = &'a dyn Fn(&mut Workload);

const GIB: f64 = (1u64 << 30) as f64;

/// What [`MEASURED`] was measured with, if nothing else is said: rank 8 on `query_key_value`, bf16, half of the tokens labels.
fn published<'a>(
    config: &'a ChatGlmConfig,
    batch: usize,
    samples: &'a [SampleSize],
) -> Workload<'a> {
    let options = TrainingOptions { batch_size: batch, ..TrainingOptions::default() };
    Workload::new(config, (Processor::Gpu, WeightFormat::BF16), &options, (100, samples)).unwrap()
}

fn full_size() -> ChatGlmConfig {
    ChatGlmConfig::of_shape(28, 4096, 32, 150_528)
}

/// The estimate for `batch` samples of `tokens`, with what `change` changes.
fn estimated(batch: usize, tokens: usize, change: impl FnOnce(&mut Workload)) -> Estimate {
    let (config, samples) = (full_size(), vec![SampleSize::half_learned(tokens); batch]);
    let mut workload = published(&config, batch, &samples);
    change(&mut workload);
    estimate(&workload, Some(Rates::H200))
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB
}

#[test]
fn memory_is_within_two_percent_of_what_was_measured() {
    for Row { batch, tokens, change, peak_gib, .. } in MEASURED {
        let change = |workload: &mut Workload| change.into_iter().for_each(|it| it(workload));

        let peak = gib(estimated(batch, tokens, change).memory.peak_bytes);

        assert!((peak / peak_gib - 1.0).abs() < 0.02, "{batch}x{tokens}: {peak:.2}, {peak_gib}");
    }
}

#[test]
fn time_is_within_seven_percent_of_what_was_measured_and_ten_of_rank_64() {
    for (at, Row { batch, tokens, change, step_ms, .. }) in MEASURED.into_iter().enumerate() {
        let change = |workload: &mut Workload| change.into_iter().for_each(|it| it(workload));

        let time = estimated(batch, tokens, change).time.unwrap();

        let bound = match at {
            0..5 => 0.01,
            5..17 => 0.07,
            _ => 0.1,
        };
        let found = time.step_seconds * 1e3;
        assert!((found / step_ms - 1.0).abs() < bound, "{batch}x{tokens}: {found:.1}, {step_ms}");
        assert!((time.total_seconds / time.step_seconds - 100.0).abs() < 1e-9);
    }
}

#[test]
fn the_peak_is_less_than_the_sum_of_what_is_never_there_together() {
    let memory = estimated(4, 512, |_| {}).memory;

    let always = memory.weights_bytes + memory.learned_bytes + memory.kept_bytes;
    let all = always + memory.gradients_bytes + memory.loss_bytes + memory.scratch_bytes;
    assert!(always + memory.loss_bytes <= memory.peak_bytes && memory.peak_bytes < all);
}

#[test]
fn blocks_that_are_computed_again_take_less_memory_and_more_time() {
    let kept = estimated(1, 2048, |_| {});
    let again = estimated(1, 2048, |workload| workload.checkpoint = true);

    // Of 11 hidden sizes a block one is kept: half a GiB of 4.8.
    let saved = gib(kept.memory.kept_bytes - again.memory.kept_bytes);
    assert!((4.3..4.5).contains(&saved), "{saved}");
    assert!(gib(again.memory.peak_bytes) < 12.9);
    let ratio = again.time.unwrap().step_seconds / kept.time.unwrap().step_seconds;
    assert!((1.2..1.5).contains(&ratio), "{ratio}");
}

#[test]
fn blocks_are_computed_again_as_soon_as_memory_is_short() {
    let (config, samples) = (full_size(), [SampleSize::half_learned(2048)]);
    let within = |free| {
        estimate_within(published(&config, 1, &samples), Some(Rates::H200), free).memory.kept_bytes
    };
    let kept = estimated(1, 2048, |_| {}).memory;
    let again = estimated(1, 2048, |workload| workload.checkpoint = true).memory;
    let added = kept.peak_bytes - kept.weights_bytes;

    assert_eq!((within(None), within(Some(added))), (kept.kept_bytes, kept.kept_bytes));
    assert_eq!(within(Some(added - 1)), again.kept_bytes);
}

#[test]
fn few_bits_save_what_the_matrices_take() {
    let weights = |weights| {
        let memory = estimated(1, 512, |workload| workload.weights = weights).memory;
        (gib(memory.weights_bytes), gib(memory.scratch_bytes))
    };

    // 5.64 billion numbers of 6.26 billion are in the matrices.
    for (form, wanted) in [
        (WeightFormat::F32, 23.30),
        (WeightFormat::F16, 11.65),
        (Quantization::Int8.into(), 6.40),
        (Quantization::Int4.into(), 3.78),
    ] {
        let (found, _) = weights(form);
        assert!((found - wanted).abs() < 0.01, "{form:?}: {found:.3}, wanted {wanted}");
    }
    let (matrix, half) = (weights(Quantization::Int4.into()).1, weights(WeightFormat::F16).1);
    assert!((matrix - half - 0.125).abs() < 1e-3, "one matrix of 4,096 by 16,384 in f16");
}

#[test]
fn whatever_adds_work_adds_to_the_estimate() {
    let plain = estimated(2, 256, |_| {});
    let of_rank = |r, names: &[&str]| {
        let target_modules = names.iter().map(|&it| it.to_owned()).collect();
        let lora = LoraOptions { r, target_modules, ..LoraOptions::default() };
        Learning::new(Method::Lora, &lora).unwrap()
    };
    let changes: [(&str, Change); 6] = [
        ("rank", &|it| it.learning = of_rank(64, &["query_key_value"])),
        ("targets", &|it| it.learning = of_rank(8, &["all-linear"])),
        ("every weight", &|it| it.learning = Learning::Everything),
        ("accumulation", &|it| it.accumulation = 2),
        ("f32", &|it| it.weights = WeightFormat::F32),
        ("batch", &|it| it.samples = &[SampleSize { tokens: 512, context: 9, learned: 99 }; 2]),
    ];

    for (name, change) in changes {
        let more = estimated(2, 256, change);

        assert!(more.memory.peak_bytes > plain.memory.peak_bytes, "{name}");
        assert!(more.time.unwrap().step_seconds > plain.time.unwrap().step_seconds, "{name}");
    }
}

#[test]
fn short_samples_take_time_and_the_longest_decide_the_memory() {
    let config = full_size();
    let (short, long) = (SampleSize::half_learned(128), SampleSize::half_learned(2048));
    let mixed: Vec<SampleSize> = [vec![short; 99], vec![long]].concat();
    let of = |samples: &[SampleSize], batch| {
        let it = estimate(&published(&config, batch, samples), Some(Rates::H200));
        (it.memory.peak_bytes, it.time.unwrap().step_seconds)
    };

    let ((all_short, fast), (all_long, slow)) = (of(&[short], 1), of(&[long], 1));
    let (peak, mean) = of(&mixed, 1);
    let (_, in_batches) = of(&mixed, 8);

    assert_eq!((peak > all_short, peak), (true, all_long));
    assert!((mean - (0.99 * fast + 0.01 * slow)).abs() < 2e-3 * slow, "{mean}");
    // One in twelve batches of eight has the long sample; nothing is padded to it.
    let (_, fast) = of(&[short; 8], 8);
    let (_, slow) = of(&[vec![short; 7], vec![long]].concat(), 8);
    let wanted = fast + 0.08 * (slow - fast);
    assert!((in_batches / wanted - 1.0).abs() < 0.05, "{in_batches}, {wanted}");
}

#[test]
fn without_rates_there_is_memory_and_no_time() {
    let (config, samples) = (full_size(), [SampleSize::half_learned(512)]);

    let estimate = estimate(&published(&config, 1, &samples), None);

    assert!(estimate.time.is_none() && estimate.memory.peak_bytes > 0);
}
