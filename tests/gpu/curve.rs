//! A whole run: the loss in f16, with its scaling, against the loss in f32.

use candle_core::DType;
use weft::{
    lora::Target,
    training::{AdamW, Trainee},
};

use crate::{gpu, model};

const STEPS: usize = 200;

/// The loss of every step, dropout on.
fn losses(dtype: DType) -> Vec<f32> {
    // Both models have the very same weights: those that f16 can hold.
    let model = model::model(64, DType::F16, gpu(), dtype);
    let adapter = model::adapter(8, &[Target::QueryKeyValue], model.config(), gpu());
    let trainee = Trainee::lora(model, adapter, "".into()).unwrap();
    let mut optimizer = AdamW::new(&trainee, 0.0).unwrap();
    let batch = model::batch(gpu());
    (0..STEPS)
        .map(|step| {
            let loss = trainee.loss(&batch, Some(step as u64)).unwrap();
            let (loss, gradients) = trainee.backward(loss, optimizer.state()).unwrap();
            optimizer.update(&trainee.parameters, &gradients, 1e-3, 1.0).unwrap();
            loss.to_scalar().unwrap()
        })
        .collect()
}

#[test]
fn two_hundred_steps_in_f16_lose_as_in_f32() {
    let (found, wanted) = (losses(DType::F16), losses(DType::F32));

    let off = found.iter().zip(&wanted).map(|(found, wanted)| (found - wanted).abs() / wanted);
    let most = off.fold(0f32, f32::max);
    let (first, last) = (wanted[0], wanted[STEPS - 1]);
    eprintln!(
        "loss from {first} to {last} in f32, to {} in f16; most apart {most:.1e}",
        found[STEPS - 1]
    );
    assert!(last < 0.9 * first, "nothing was learned: {first} to {last}");
    assert!(most < 0.02, "{most} apart");
}
