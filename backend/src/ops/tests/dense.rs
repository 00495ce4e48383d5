//! The ops that look at one position at a time.

use candle_core::{DType, Tensor};

use super::{gradient, random, same, scalar, variable};
use crate::ops::{
    Dropout, LoraOperand, composed, cross_entropy, embedding, gelu, layer_norm, linear,
    linear_gelu, linear_residual, lora_linear, scaled_add,
};

/// Batch, sequence, inputs and outputs, none of them round.
const SIZES: [[usize; 4]; 5] =
    [[1, 1, 8, 24], [1, 7, 16, 5], [2, 13, 33, 48], [3, 50, 64, 192], [1, 1, 256, 768]];

#[test]
fn linear_agrees_frozen_and_trained() {
    for [batch, seq, inputs, outputs] in SIZES {
        let what = format!("{batch} x {seq}, {inputs} to {outputs}");
        let x = variable(1, &[batch, seq, inputs]);
        let (weight, bias) = (variable(2, &[outputs, inputs]), variable(3, &[outputs]));

        same(
            &what,
            &[&x, &weight, &bias],
            || linear(&x, &weight, Some(&bias)),
            || composed::linear(&x, &weight, Some(&bias)),
        );
        same(
            &what,
            &[&x, &weight],
            || linear(&x, &weight, None),
            || composed::linear(&x, &weight, None),
        );
        let (weight, bias) = (weight.as_detached_tensor(), bias.as_detached_tensor());
        same(
            &what,
            &[&x],
            || linear(&x, &weight, Some(&bias)),
            || composed::linear(&x, &weight, Some(&bias)),
        );
    }
}

#[test]
fn a_frozen_weight_has_no_gradient() {
    let (x, weight, bias) = (variable(1, &[5, 8]), random(2, &[6, 8]), random(3, &[6]));

    let gradients = linear(&x, &weight, Some(&bias)).unwrap().sum_all().unwrap().backward();

    let gradients = gradients.unwrap();
    assert!(gradients.get(&weight).is_none() && gradients.get(&bias).is_none());
    assert!(gradients.get(&x).is_some());
}

#[test]
fn linear_layers_agree_with_what_follows_them() {
    for [batch, seq, inputs, outputs] in SIZES {
        let what = format!("{batch} x {seq}, {inputs} to {outputs}");
        let (x, residual) =
            (variable(1, &[batch, seq, inputs]), variable(4, &[batch, seq, outputs]));
        let (weight, bias) = (random(2, &[outputs, inputs]), random(3, &[outputs]));
        let plain = || composed::linear(&x, &weight, Some(&bias));

        same(&what, &[&x], || linear_gelu(&x, &weight, &bias), || composed::gelu(&plain()?));
        same(
            &what,
            &[&x, &residual],
            || linear_residual(&x, &weight, &bias, &residual, 7.5),
            || composed::scaled_add(&plain()?, &residual, 7.5),
        );
    }
}

#[test]
fn trained_layers_agree_with_what_follows_them() {
    let (x, residual) = (variable(1, &[2, 7, 24]), variable(4, &[2, 7, 40]));
    let (weight, bias) = (variable(2, &[40, 24]), variable(3, &[40]));
    let plain = || composed::linear(&x, &weight, Some(&bias));

    same(
        "gelu",
        &[&x, &weight, &bias],
        || linear_gelu(&x, &weight, &bias),
        || composed::gelu(&plain()?),
    );
    same(
        "residual",
        &[&x, &weight, &bias, &residual],
        || linear_residual(&x, &weight, &bias, &residual, 4.0),
        || composed::scaled_add(&plain()?, &residual, 4.0),
    );
}

#[test]
fn adapters_agree_with_and_without_dropout() {
    for [batch, seq, inputs, outputs] in SIZES {
        for (rank, p) in [(8, 0.0), (3, 0.1), (16, 0.5)] {
            let what = format!("{batch} x {seq}, {inputs} to {outputs}, rank {rank}, dropout {p}");
            let x = variable(1, &[batch, seq, inputs]);
            let (weight, bias) = (random(2, &[outputs, inputs]), random(3, &[outputs]));
            let (a, b) = (variable(5, &[rank, inputs]), variable(6, &[outputs, rank]));
            let dropout = Some(Dropout { p, seed: 12 });
            let lora = LoraOperand { a: &a, b: &b, scale: 4.0, dropout };

            same(
                &what,
                &[&x, &a, &b],
                || lora_linear(&x, &weight, Some(&bias), &lora),
                || composed::lora_linear(&x, &weight, Some(&bias), &lora),
            );
        }
    }
}

#[test]
fn an_adapter_learns_where_its_input_does_not() {
    let (x, weight) = (random(1, &[2, 7, 16]), random(2, &[48, 16]));
    let (a, b) = (variable(5, &[4, 16]), variable(6, &[48, 4]));
    let lora = LoraOperand { a: &a, b: &b, scale: 1.0, dropout: None };

    same(
        "first layer",
        &[&a, &b],
        || lora_linear(&x, &weight, None, &lora),
        || composed::lora_linear(&x, &weight, None, &lora),
    );
}

#[test]
fn elementwise_ops_agree() {
    for shape in [&[1][..], &[7, 13], &[2, 50, 64], &[3, 100, 100]] {
        let (x, residual) = (variable(1, shape), variable(2, shape));
        let wide = || &*x * 6.0;

        same("gelu", &[&x], || gelu(&wide()?), || composed::gelu(&wide()?));
        same(
            "scaled add",
            &[&x, &residual],
            || scaled_add(&x, &residual, 5.3),
            || composed::scaled_add(&x, &residual, 5.3),
        );
    }
}

#[test]
fn layer_norm_agrees_frozen_and_trained() {
    for shape in [[1, 1, 8], [2, 7, 33], [3, 40, 256]] {
        let (x, weight, bias) =
            (variable(1, &shape), variable(2, &shape[2..]), variable(3, &shape[2..]));
        // Far from zero: a variance computed as a difference of squares would be wrong.
        let shifted = || &*x + 30.0;

        same(
            "trained",
            &[&x, &weight, &bias],
            || layer_norm(&x, &weight, &bias, 1e-5),
            || composed::layer_norm(&x, &weight, &bias, 1e-5),
        );
        let (weight, bias) = (weight.as_detached_tensor(), bias.as_detached_tensor());
        let fused = layer_norm(&shifted().unwrap(), &weight, &bias, 1e-5).unwrap();
        let expected = composed::layer_norm(&shifted().unwrap(), &weight, &bias, 1e-5).unwrap();
        assert!(super::difference(&fused, &expected) < 1e-4);
    }
}

#[test]
fn cross_entropy_agrees_frozen_and_trained() {
    for (rows, model, vocab) in [(1, 8, 11), (7, 16, 100), (65, 33, 257), (200, 64, 300)] {
        let (hidden, head) = (variable(1, &[rows, model]), variable(2, &[vocab, model]));
        let targets: Vec<u32> = (0..rows).map(|row| (row * 37 % vocab) as u32).collect();

        same(
            "trained",
            &[&hidden, &head],
            || cross_entropy(&(&*hidden * 3.0)?, &head, &targets),
            || composed::cross_entropy(&(&*hidden * 3.0)?, &head, &targets),
        );
        let head = head.as_detached_tensor();
        same(
            "frozen",
            &[&hidden],
            || cross_entropy(&hidden, &head, &targets),
            || composed::cross_entropy(&hidden, &head, &targets),
        );
    }
}

#[test]
fn large_logits_do_not_overflow() {
    let (hidden, head) = (random(1, &[3, 8]), random(2, &[20, 8]));
    let loss = cross_entropy(&(hidden * 1e4).unwrap(), &head, &[1, 2, 3]).unwrap();

    assert!(loss.to_scalar::<f32>().unwrap().is_finite());
}

#[test]
fn embedding_gathers_rows_and_scatters_gradients() {
    let weight = variable(1, &[10, 4]);
    let ids = Tensor::new(&[[3u32, 3, 9], [0, 3, 1]], weight.device()).unwrap();

    let rows = embedding(&ids, &weight).unwrap();
    let gradients = rows.sum_all().unwrap().backward().unwrap();

    assert_eq!(rows.dims(), [2, 3, 4]);
    let uses: Vec<f32> = gradient(&gradients, &weight).mean(1).unwrap().to_vec1().unwrap();
    assert_eq!(uses, [1.0, 1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn other_types_and_layouts_take_the_composed_way() {
    let (x, weight) = (random(1, &[16, 5]).t().unwrap(), random(2, &[6, 16]));
    let expected = linear(&x.contiguous().unwrap(), &weight, None).unwrap();

    let strided = linear(&x, &weight, None).unwrap();
    let wide = |x: &Tensor| x.to_dtype(DType::F64).unwrap();
    let double = linear(&wide(&x), &wide(&weight), None).unwrap();

    assert!(super::difference(&strided, &expected) < 1e-6);
    assert!(super::difference(&double.to_dtype(DType::F32).unwrap(), &expected) < 1e-6);
    assert!(scalar(&strided).dims().is_empty());
}
