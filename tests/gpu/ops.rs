//! Ops that stand alone.

use candle_core::{DType, Device, Tensor, Var};
use weft::ops::{self, Draw, Quantization, QuantizedWeight};

use crate::{TYPES, assert_near, gpu, on_gpu, random};

#[test]
fn layer_norm_and_its_gradient() {
    for (dtype, bound) in [(DType::F32, 1e-5)].into_iter().chain(TYPES) {
        for (rows, columns) in [(1, 8), (3, 37), (5, 4096), (130, 264)] {
            let x = random(1, &[rows, columns], dtype);
            let weight = random(2, &[columns], dtype);
            let bias = random(3, &[columns], dtype);
            let factors = random(4, &[rows, columns], dtype);
            let run = |to: &dyn Fn(&Tensor) -> Tensor| {
                let x = Var::from_tensor(&to(&x)).unwrap();
                let y = ops::layer_norm(&x, &to(&weight), &to(&bias), 1e-5).unwrap();
                let sum = (&y * to(&factors)).unwrap().sum_all().unwrap();
                let gradient = sum.backward().unwrap().remove(&x).unwrap();
                (y, gradient)
            };

            let (wanted, d_wanted) = run(&Tensor::clone);
            let (found, d_found) = run(&|x| on_gpu(x, dtype));

            let what = format!("layer norm of {rows}x{columns} in {dtype:?}");
            assert_near(&what, &found, &wanted, bound);
            assert_near(&format!("{what}, gradient"), &d_found, &d_wanted, bound);
        }
    }
}

#[test]
fn rows_are_selected_and_put_back() {
    for dtype in [DType::F32, DType::F16, DType::BF16] {
        let x = random(1, &[7, 33], dtype);
        let ids = Tensor::new(&[5u32, 0, 3], gpu()).unwrap();
        let variable = Var::from_tensor(&on_gpu(&x, dtype)).unwrap();

        let rows = ops::select_rows(&variable, &ids).unwrap();
        let factors = random(2, &[3, 33], dtype);
        let sum = (&rows * on_gpu(&factors, dtype)).unwrap().sum_all().unwrap();
        let gradient = sum.backward().unwrap().remove(&variable).unwrap();

        let cpu_ids = ids.to_device(x.device()).unwrap();
        assert_near("rows", &rows, &x.index_select(&cpu_ids, 0).unwrap(), 1e-6);
        let zeros = x.zeros_like().unwrap();
        let wanted = zeros.index_add(&cpu_ids, &factors, 0).unwrap();
        assert_near("their gradient", &gradient, &wanted, 1e-6);
    }
}

#[test]
fn cross_entropy_and_its_gradient() {
    for (dtype, bound) in TYPES {
        for (rows, model, vocab) in [(1, 64, 40), (3, 72, 1000), (700, 64, 3001)] {
            let hidden = random(1, &[rows, model], dtype);
            let head = random(2, &[vocab, model], dtype);
            let targets: Vec<u32> = (0..rows).map(|row| (row * 31 % vocab) as u32).collect();
            let run = |to: &dyn Fn(&Tensor) -> Tensor| {
                let hidden = Var::from_tensor(&to(&hidden)).unwrap();
                let loss = ops::cross_entropy(&hidden, &to(&head), &targets).unwrap();
                let gradient = (&loss * 100.0).unwrap().backward().unwrap().remove(&hidden);
                (loss, gradient.unwrap())
            };

            let (wanted, d_wanted) = run(&Tensor::clone);
            let (found, d_found) = run(&|x| on_gpu(x, dtype));

            let what = format!("cross-entropy of {rows}x{model} over {vocab} in {dtype:?}");
            assert_near(&what, &found, &wanted, 1e-4);
            assert_near(&format!("{what}, gradient"), &d_found, &d_wanted, bound);
        }
    }
}

#[test]
fn weights_in_few_bits_are_those_of_the_processor() {
    for (dtype, form) in [DType::F32, DType::F16, DType::BF16]
        .into_iter()
        .flat_map(|dtype| Quantization::ALL.map(|form| (dtype, form)))
    {
        let weight = random(5, &[37, 4160], dtype);

        let wanted = QuantizedWeight::quantize(&weight, form).unwrap();
        let found = QuantizedWeight::quantize(&on_gpu(&weight, dtype), form).unwrap();

        let bytes = |x: &Tensor| -> Vec<u8> {
            x.to_device(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap()
        };
        let what = format!("{} of {dtype:?}", form.name());
        assert_near(&format!("{what}: scales"), found.scales(), wanted.scales(), 1e-9);
        assert_eq!(bytes(found.integers()), bytes(wanted.integers()), "{what}: integers");
        let rounded = wanted.dequantize().unwrap().to_dtype(dtype).unwrap();
        assert_near(&what, &found.dequantize().unwrap(), &rounded, 1e-9);
    }
}

/// Draws the scores as they are: nothing penalized, nothing left out.
const PLAIN: Draw = Draw {
    replacement: 5,
    penalty: 1.0,
    penalized: &[],
    top_k: 0,
    temperature: 1.0,
    top_p: 1.0,
    point: 0.0,
};

#[test]
fn tokens_are_drawn_by_their_probabilities() {
    let ways = [
        Draw { top_k: 1, penalty: 1.5, penalized: &[3, 7, 11], ..PLAIN },
        Draw { top_k: 50, temperature: 0.95, top_p: 0.7, ..PLAIN },
        Draw { top_k: 50, penalty: 1.3, penalized: &[0, 9, 30, 2_000_000], ..PLAIN },
        Draw { top_k: 2000, temperature: 2.5, ..PLAIN },
        Draw { top_p: 0.9, temperature: 0.1, penalty: 0.5, penalized: &[20], ..PLAIN },
        Draw { top_p: 0.95, temperature: 4.0, ..PLAIN },
        Draw { temperature: 1e-30, ..PLAIN },
        PLAIN,
    ];
    let points = [0.0, 0.1, 0.35, 0.5, 0.73, 0.9, 0.999, 0.999_999_9];
    let draws: Vec<Draw> =
        ways.iter().flat_map(|way| points.map(|point| Draw { point, ..*way })).collect();
    // More rows than a launch takes.
    let draws = [draws.clone(), draws].concat();
    for vocab in [40, 1024, 3001, 150_528] {
        let scores = random(9, &[draws.len(), vocab], DType::F32);
        // Some are equal.
        let scores = ((&scores * 300.0).unwrap().round().unwrap() / 100.0).unwrap();

        let found = ops::sample(&on_gpu(&scores, DType::F32), &draws).unwrap().unwrap();

        let rows: Vec<Vec<f32>> = scores.to_vec2().unwrap();
        for ((token, row), draw) in found.into_iter().zip(rows).zip(&draws) {
            let (from, to) = span(row, draw, token);
            // Sums differ in the last digits.
            let point = f64::from(draw.point);
            assert!(
                from - 1e-5 <= point && point <= to + 1e-5,
                "{token} of {vocab} lies from {from} to {to}, {draw:?}"
            );
        }
    }
}

/// Where a token lies in the sum of the probabilities that are kept; after their end, if it is not among them.
fn span(mut row: Vec<f32>, draw: &Draw, token: u32) -> (f64, f64) {
    for &penalized in draw.penalized {
        if let Some(score) = row.get_mut(penalized as usize) {
            *score = if *score < 0.0 { *score * draw.penalty } else { *score / draw.penalty };
        }
    }
    let mut kept: Vec<(u32, f32)> = (0..).zip(row).collect();
    kept.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    if draw.top_k > 0 {
        kept.truncate(draw.top_k);
    }
    let highest = f64::from(kept[0].1);
    let weights: Vec<f64> = kept
        .iter()
        .map(|&(_, score)| ((f64::from(score) - highest) / f64::from(draw.temperature)).exp())
        .collect();
    let up_to: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect();
    let enough = up_to[up_to.len() - 1] * f64::from(draw.top_p);
    let sum = up_to.iter().copied().find(|&sum| sum >= enough * (1.0 - 1e-7)).unwrap();
    let at = kept.iter().position(|&(kept, _)| kept == token);
    at.map_or((f64::INFINITY, f64::INFINITY), |at| {
        ((up_to[at] - weights[at]) / sum, up_to[at] / sum)
    })
}

#[test]
fn of_equal_tokens_the_lower_goes_first_and_a_row_with_a_nan_gives_the_replacement() {
    let mut scores = vec![2.5f32; 4 * 5000];
    scores[3 * 5000 + 4321] = f32::NAN;
    let scores = Tensor::from_vec(scores, (4, 5000), gpu()).unwrap();
    let draw = Draw { point: 0.75, ..PLAIN };
    let draws =
        [draw, Draw { top_p: 0.5, ..draw }, Draw { top_k: 100, ..draw }, Draw { top_k: 1, ..draw }];

    let found = ops::sample(&scores, &draws).unwrap().unwrap();

    assert_eq!(found, [3750, 1875, 75, PLAIN.replacement]);
}
