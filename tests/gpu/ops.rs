//! Ops that stand alone.

use candle_core::{DType, Device, Tensor, Var};
use weft::ops::{self, Choice, Likeliest, Quantization, QuantizedWeight};

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

#[test]
fn the_likeliest_tokens_are_found_in_order() {
    for vocab in [40, 1024, 3001, 150_528] {
        // Each row is looked at in its own way.
        let ways = [(50, 1.5), (1, 1.0), (64, 0.5)];
        let scores = random(9, &[ways.len(), vocab], DType::F32);
        // Equal scores: the lower token goes first.
        let scores = (&scores * 500.0).unwrap().round().unwrap();
        let rows: Vec<Vec<f32>> = scores.to_vec2().unwrap();
        let penalized: Vec<[u32; 3]> = (0..ways.len()).map(|row| [3, 7 + row as u32, 11]).collect();
        let choices: Vec<Choice> = ways
            .iter()
            .zip(&penalized)
            .map(|(&(count, penalty), penalized)| Choice { count, penalty, penalized })
            .collect();

        let found = ops::likeliest(&on_gpu(&scores, DType::F32), &choices).unwrap();

        for ((found, row), choice) in found.into_iter().zip(rows).zip(&choices) {
            let mut values: Vec<(u32, f32)> = (0..).zip(row).collect();
            for &token in choice.penalized {
                let score = &mut values[token as usize].1;
                *score =
                    if *score < 0.0 { *score * choice.penalty } else { *score / choice.penalty };
            }
            values.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            values.truncate(choice.count);
            let Some(Likeliest::Tokens(found)) = found else { panic!("{found:?}") };
            // The penalty is computed on both sides: a unit in the last place is no difference.
            assert_eq!(found.len(), values.len());
            for ((token, score), (wanted, near)) in found.into_iter().zip(values) {
                assert_eq!(token, wanted, "of {vocab}, {choice:?}");
                assert!((score - near).abs() <= 1e-5 * near.abs(), "{score}, wanted {near}");
            }
        }
    }
}

#[test]
fn a_row_with_a_nan_is_told_and_one_of_which_all_is_wanted_is_left() {
    let mut scores = vec![0f32; 3 * 3000];
    scores[3000 + 2500] = f32::NAN;
    let scores = Tensor::from_vec(scores, (3, 3000), gpu()).unwrap();
    let one = Choice { count: 1, penalty: 1.0, penalized: &[] };

    let all = Choice { count: 0, penalty: 2.0, penalized: &[1] };
    let found = ops::likeliest(&scores, &[one, one, all]).unwrap();

    let first = Likeliest::Tokens(vec![(0, 0.0)]);
    assert_eq!(found, [Some(first), Some(Likeliest::Invalid), None]);
}
