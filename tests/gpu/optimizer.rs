//! `AdamW` over parameters of several sizes at once, clipped, scaled and left out where the gradients are.

use candle_core::{DType, Device, Tensor};
use weft::ops::{AdamWParameter, AdamWStep, LossScale, OptimizerState, Progress, adamw};

use crate::{assert_near, gpu, random};

/// Norms of the gradients come to some 270; of the third update, one number is not finite.
#[test]
fn four_updates_are_those_of_the_processor() {
    for (weights, max_grad_norm) in [(DType::F32, 1.0), (DType::F16, 0.0), (DType::F16, 1e-3)] {
        let (wanted_states, wanted) = updates(&Device::Cpu, weights, max_grad_norm);
        let (states, found) = updates(gpu(), weights, max_grad_norm);

        for (found, wanted) in states.iter().zip(&wanted_states) {
            assert_eq!(
                (found.updates, found.loss_scale),
                (wanted.updates, wanted.loss_scale),
                "of {weights:?}"
            );
            let off = (found.grad_norm - wanted.grad_norm).abs();
            let same = wanted.grad_norm.is_infinite() && found.grad_norm.is_infinite();
            assert!(same || off < 1e-5 * wanted.grad_norm, "{found:?}, wanted {wanted:?}");
        }
        assert_eq!(states.map(|it| it.updates), [1, 2, 2, 3]);
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_near("a weight after four steps", found, wanted, 1e-6);
        }
    }
}

fn updates(device: &Device, of: DType, max_grad_norm: f64) -> ([Progress; 4], Vec<Tensor>) {
    let shapes = [vec![3, 5], vec![70_001], vec![8, 4096]];
    let tensors = |seed: u64| -> Vec<Tensor> {
        let of = |(i, shape): (usize, &Vec<usize>)| {
            random(seed + i as u64, shape, DType::F32).to_device(device).unwrap()
        };
        shapes.iter().enumerate().map(of).collect()
    };
    let (weights, grads) = (tensors(1), tensors(11));
    let mut broken = grads.clone();
    broken[0] = (&grads[0] * f64::INFINITY).unwrap();
    let zeros = || grads.iter().map(|it| it.zeros_like().unwrap()).collect::<Vec<_>>();
    let (first, second) = (zeros(), zeros());
    let fresh = Progress::new(LossScale::for_weights(of));
    let mut state = OptimizerState::new(fresh, device).unwrap();
    let states = [&grads, &grads, &broken, &grads].map(|grads| {
        let parameters: Vec<AdamWParameter> = (0..shapes.len())
            .map(|i| AdamWParameter {
                weight: &weights[i],
                grad: &grads[i],
                first_moment: &first[i],
                second_moment: &second[i],
                weight_decay: 0.01 * i as f64,
            })
            .collect();
        let (learning_rate, beta1, beta2, eps) = (0.01, 0.9, 0.999, 1e-8);
        let step = AdamWStep { learning_rate, beta1, beta2, eps, max_grad_norm };
        adamw(&parameters, &mut state, step).unwrap();
        state.progress().unwrap()
    });
    (states, weights)
}
