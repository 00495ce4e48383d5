//! Runs that go wrong say so and lose nothing.

use weft::training::{Event, RunError, TrainingError};
use weft_shared::training::TrainingOptions;

use crate::setup::{options, run, to_the_end, trainee};

#[test]
fn a_diverged_run_stops_and_keeps_the_last_good_checkpoint() {
    let output = tempfile::tempdir().unwrap();
    let options = TrainingOptions { learning_rate: 1e30, warmup_steps: 5, ..options() };
    let mut saved = Vec::new();

    let error = run(&trainee(&options), &options, output.path(), false, &mut |event| {
        if let Event::Saved(checkpoint) = &event {
            saved.push(checkpoint.step);
        }
        to_the_end(event)
    })
    .unwrap_err();

    assert!(matches!(error, RunError::Training(TrainingError::NotFinite { .. })), "{error}");
    for step in saved {
        assert!(output.path().join(format!("checkpoint-{step}/trainer_state.json")).exists());
    }
    assert!(!output.path().join("adapter_model.safetensors").exists());
}

#[test]
fn an_option_that_cannot_work_is_refused_before_anything_is_written() {
    let output = tempfile::tempdir().unwrap();
    let options = TrainingOptions { learning_rate: 0.0, ..options() };

    let error =
        run(&trainee(&options), &options, output.path(), false, &mut to_the_end).unwrap_err();

    assert_eq!(error.to_string(), "learning_rate must be above 0, found 0");
}
