//! Gradients against finite differences: the composed ops could be wrong too.

use candle_core::{DType, Device, Result, Tensor, Var};

use super::{gradient, random, scalar, variable};
use crate::ops::{
    AttentionMask, Dropout, LoraOperand, MaskRow, PositionIds, Rotation, cross_entropy, gelu,
    layer_norm, lora_linear, rotary_attention,
};

/// Fails unless the gradient of `function` by `variable` is the slope along a few directions.
fn slopes(what: &str, variable: &Var, function: impl Fn(&Tensor) -> Result<Tensor>) {
    let loss = |x: &Tensor| -> f64 {
        let y = function(x).unwrap();
        let weighted = (&y * random(99, y.dims())).unwrap().to_dtype(DType::F64).unwrap();
        weighted.sum_all().unwrap().to_scalar().unwrap()
    };
    let gradients = scalar(&function(variable).unwrap()).backward().unwrap();
    let gradient = gradient(&gradients, variable);
    for seed in 0..4 {
        let step = (random(200 + seed, variable.dims()) * 1e-2).unwrap();
        let further = loss(&(variable.as_tensor() + &step).unwrap());
        let back = loss(&(variable.as_tensor() - &step).unwrap());

        let slope = (further - back) / 2.0;
        let expected: f32 = (gradient * &step).unwrap().sum_all().unwrap().to_scalar().unwrap();

        let error = (slope - f64::from(expected)).abs();
        assert!(error < 2e-4 + 5e-3 * slope.abs(), "{what}: {slope} is not {expected}");
    }
}

#[test]
fn gradients_are_slopes() {
    slopes("gelu", &variable(1, &[3, 17]), gelu);

    let (weight, bias) = (random(2, &[16]), random(3, &[16]));
    slopes("layer norm", &variable(1, &[3, 16]), |x| layer_norm(x, &weight, &bias, 1e-5));

    let head = random(4, &[40, 16]);
    slopes("cross-entropy", &variable(1, &[3, 16]), |x| cross_entropy(x, &head, &[3, 39, 0]));
}

#[test]
fn gradients_of_an_adapter_are_slopes() {
    let (x, weight) = (variable(1, &[5, 16]), random(2, &[24, 16]));
    let (a, b) = (variable(3, &[4, 16]), variable(4, &[24, 4]));
    let dropout = Some(Dropout { p: 0.3, seed: 5 });
    let apply = |x: &Tensor, a: &Tensor, b: &Tensor| {
        lora_linear(x, &weight, None, &LoraOperand { a, b, scale: 2.0, dropout })
    };

    slopes("x", &x, |x| apply(x, &a, &b));
    slopes("a", &a, |a| apply(&x, a, &b));
    slopes("b", &b, |b| apply(&x, &a, b));
}

#[test]
fn gradients_of_attention_are_slopes() {
    let positions =
        PositionIds { batch: 1, rows: 2, seq: 5, ids: vec![0, 1, 2, 2, 2, 0, 0, 0, 1, 2] };
    let rotation = Rotation::new(&[1.0, 0.1], &positions, &Device::Cpu).unwrap();
    let mask = AttentionMask::new(vec![MaskRow { padding: 1, context: 2 }]);

    slopes("attention", &variable(1, &[1, 5, 2 * 3 * 8]), |qkv| {
        rotary_attention(qkv, &rotation, 2, &mask)
    });
}
