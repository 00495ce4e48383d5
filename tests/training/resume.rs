//! A run that was stopped and resumed is the run that was never stopped, to the bit.

use std::{ops::ControlFlow, time::Duration};

use weft::training::{Checkpoint, Event};
use weft_shared::training::{Method, TrainingOptions};
use weft_tests::{numbers, weights};

use crate::setup::{options, run, run_saving, to_the_end, trainee};

#[test]
fn a_resumed_run_is_the_unbroken_run() {
    for method in [Method::Lora, Method::Full] {
        for group_by_length in [false, true] {
            let options = TrainingOptions { method, group_by_length, ..options() };
            let unbroken = tempfile::tempdir().unwrap();
            let whole = trainee(&options);
            let wanted = run(&whole, &options, unbroken.path(), false, &mut to_the_end).unwrap();

            let broken = tempfile::tempdir().unwrap();
            run(&trainee(&options), &options, broken.path(), false, &mut stop_after(7)).unwrap();
            let resumed = trainee(&options);
            let found = run(&resumed, &options, broken.path(), true, &mut to_the_end).unwrap();

            assert!(found.finished);
            assert_eq!(weights(&resumed), weights(&whole));
            assert_eq!(numbers(&found.state.log_history), numbers(&wanted.state.log_history));
            assert_eq!(
                std::fs::read(broken.path().join(file(method))).unwrap(),
                std::fs::read(unbroken.path().join(file(method))).unwrap()
            );
        }
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let output = tempfile::tempdir().unwrap();
    let options = options();
    run(&trainee(&options), &options, output.path(), false, &mut stop_after(5)).unwrap();

    let other = TrainingOptions { data_seed: 7, ..options };
    let error = run(&trainee(&other), &other, output.path(), true, &mut to_the_end).unwrap_err();

    assert!(error.to_string().contains("data_seed 42"), "{error}");
    assert!(error.to_string().contains("data_seed 7"), "{error}");
}

#[test]
fn checkpoints_are_never_trained_over() {
    let output = tempfile::tempdir().unwrap();
    let options = options();
    run(&trainee(&options), &options, output.path(), false, &mut stop_after(5)).unwrap();

    let error =
        run(&trainee(&options), &options, output.path(), false, &mut to_the_end).unwrap_err();

    assert!(error.to_string().contains("--resume"), "{error}");
}

#[test]
fn only_the_newest_checkpoints_are_kept() {
    let output = tempfile::tempdir().unwrap();
    let options = TrainingOptions { save_steps: 1, save_total_limit: 3, ..options() };

    run(&trainee(&options), &options, output.path(), false, &mut to_the_end).unwrap();

    let mut kept: Vec<String> = std::fs::read_dir(output.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("checkpoint-"))
        .collect();
    kept.sort();
    assert_eq!(kept, ["checkpoint-10", "checkpoint-11", "checkpoint-12"]);
}

#[test]
fn a_checkpoint_because_of_the_time_is_replaced_by_the_next_and_changes_no_number() {
    let options = TrainingOptions { save_steps: 5, ..options() };
    let (usual, timed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (without, with) = (trainee(&options), trainee(&options));
    run(&without, &options, usual.path(), false, &mut to_the_end).unwrap();

    let every = Some(Duration::ZERO);
    let mut saved = Vec::new();
    let mut watch = |event: Event| {
        if let Event::Saved(checkpoint) = event {
            saved.push(checkpoint.step);
        }
        ControlFlow::Continue(())
    };
    run_saving(&with, &options, timed.path(), every, &mut watch).unwrap();

    assert_eq!(saved, (1..=12).collect::<Vec<_>>());
    let kept: Vec<usize> =
        Checkpoint::list(timed.path()).unwrap().iter().map(|it| it.step).collect();
    assert_eq!(kept, [5, 10, 12]);
    assert_eq!(weights(&with), weights(&without));
}

/// Says stop after so many steps.
fn stop_after(steps: usize) -> impl FnMut(Event) -> ControlFlow<()> {
    move |event| match event {
        Event::Step { step, .. } if step.number + 1 == steps => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    }
}

fn file(method: Method) -> &'static str {
    match method {
        Method::Lora => "adapter_model.safetensors",
        Method::Full => "model.safetensors",
    }
}
