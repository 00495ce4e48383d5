//! Ops that stand alone.

use candle_core::{DType, Tensor, Var};
use weft::ops;

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
