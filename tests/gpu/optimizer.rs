//! `AdamW` and the norm of gradients, over parameters of several sizes at once.

use candle_core::{DType, Device, Tensor};
use weft::ops::{AdamWParameter, AdamWStep, adamw, gradient_norm};

use crate::{assert_near, gpu, random};

#[test]
fn three_updates_are_those_of_the_processor() {
    let shapes = [vec![3, 5], vec![70_001], vec![8, 4096]];
    let run = |device: &Device| {
        let tensors = |seed: u64| -> Vec<Tensor> {
            let of = |(i, shape): (usize, &Vec<usize>)| {
                random(seed + i as u64, shape, DType::F32).to_device(device).unwrap()
            };
            shapes.iter().enumerate().map(of).collect()
        };
        let (weights, grads) = (tensors(1), tensors(11));
        let zeros = || grads.iter().map(|it| it.zeros_like().unwrap()).collect::<Vec<_>>();
        let (first, second) = (zeros(), zeros());
        let norm = gradient_norm(&grads).unwrap();
        for number in 1..=3 {
            let parameters: Vec<AdamWParameter> = (0..shapes.len())
                .map(|i| AdamWParameter {
                    weight: &weights[i],
                    grad: &grads[i],
                    first_moment: &first[i],
                    second_moment: &second[i],
                    weight_decay: 0.01 * i as f64,
                })
                .collect();
            let step = AdamWStep {
                learning_rate: 0.01,
                beta1: 0.9,
                beta2: 0.999,
                eps: 1e-8,
                number,
                grad_scale: 1.0 / norm,
            };
            adamw(&parameters, step).unwrap();
        }
        (norm, weights)
    };

    let (wanted_norm, wanted) = run(&Device::Cpu);
    let (norm, found) = run(gpu());

    assert!((norm - wanted_norm).abs() < 1e-5 * wanted_norm, "{norm}, wanted {wanted_norm}");
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_near("a weight after three updates", found, wanted, 1e-6);
    }
}
