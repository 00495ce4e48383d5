//! Gradients of an adapter, and thirty steps of training it.

use candle_core::Tensor;
use weft::training::{AdamW, Trainee, TrainingBatch};
use weft_shared::sample::Sample;

use crate::golden::{GoldenSample, LoraTrain, Reference, assert_near};

const LOSSES: f64 = 1e-5;
const GRADIENTS: f64 = 1e-3;
const TRAJECTORY: f64 = 1e-3;

#[test]
fn every_adapter_gets_the_references_gradient() {
    for reference in Reference::all() {
        let samples = samples(&reference);
        let trainee = trainee(&reference);

        let (loss, gradients) = gradients(&trainee, &samples[0]);

        assert_near(reference.name, loss, reference.golden.lora_loss0, LOSSES);
        assert_eq!(gradients.len(), 2 * reference.model.config().num_layers);
        for ((name, _), gradient) in trainee.parameters.iter().zip(&gradients) {
            reference.assert_close(gradient, &short(name, "lora_grad"), GRADIENTS);
        }
    }
}

#[test]
fn thirty_steps_follow_the_references_trajectory() {
    for reference in Reference::all() {
        let LoraTrain { lr, max_grad_norm, steps, .. } = reference.golden.lora_train;
        let samples = samples(&reference);
        let trainee = trainee(&reference);
        let mut optimizer = AdamW::new(&trainee, 0.0).unwrap();

        for step in 0..steps {
            let (loss, gradients) = gradients(&trainee, &samples[step % samples.len()]);
            let learning_rate = lr * (1.0 - step as f64 / steps as f64);
            optimizer
                .update(&trainee.parameters, &gradients, learning_rate, max_grad_norm)
                .unwrap();
            let norm = optimizer.state().progress().unwrap().grad_norm;

            let (wanted_loss, wanted_norm) = reference.golden.lora_train.loss_and_grad_norm[step];
            let what = format!("{}, step {step}", reference.name);
            assert_near(&what, loss, wanted_loss, TRAJECTORY);
            assert_near(&what, norm, wanted_norm, TRAJECTORY);
        }
        for (name, weight) in &trainee.parameters {
            reference.assert_close(weight, &short(name, "lora_final"), TRAJECTORY);
        }
    }
}

fn samples(reference: &Reference) -> Vec<Sample> {
    reference.golden.samples.iter().map(GoldenSample::sample).collect()
}

fn trainee(reference: &Reference) -> Trainee {
    Trainee::lora(reference.model.clone(), reference.first_adapter(), "".into()).unwrap()
}

fn gradients(trainee: &Trainee, sample: &Sample) -> (f64, Vec<Tensor>) {
    let batch = TrainingBatch::packed(&[sample], weft_tests::device()).unwrap();
    let loss = trainee.loss(&batch, None).unwrap();
    let gradients = trainee.take_gradients(loss.backward().unwrap()).unwrap();
    (f64::from(loss.to_scalar::<f32>().unwrap()), gradients)
}

/// The golden name of a parameter: `KIND.layers.0.lora_A`.
fn short(name: &str, kind: &str) -> String {
    let layer = name.split("layers.").nth(1).unwrap().split('.').next().unwrap();
    let part = if name.contains("lora_A") { "lora_A" } else { "lora_B" };
    format!("{kind}.layers.{layer}.{part}")
}
