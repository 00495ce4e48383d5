//! Whole runs, whose steps are put on the GPU before the ones in front of them have ended.

use std::{ops::ControlFlow, path::Path, time::Duration};

use candle_core::DType;
use weft::{
    lora::Target,
    parallel::Alone,
    training::{Checkpoint, Event, Recipe, Run, RunIdentity, RunSummary, Trainee},
};
use weft_shared::{sample::Sample, training::TrainingOptions};
use weft_tests::{numbers, weights};

use crate::{gpu, model};

const STEPS: usize = 12;

#[test]
fn steps_are_seen_in_their_order_and_saved_as_they_left_the_weights() {
    let (whole, saved) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (usual, stopping) = (trainee(), trainee());
    let mut seen = Vec::new();

    let wanted = run(&usual, whole.path(), false, None, &mut |event| {
        if let Event::Step { step, tokens_per_second, .. } = event {
            assert!(step.loss.is_finite() && tokens_per_second > 0.0, "{step:?}");
            seen.push(step.number);
        }
        ControlFlow::Continue(())
    });
    // Each step waits for the one before: somebody wants to keep it.
    let every = Some(Duration::ZERO);
    let found = run(&stopping, saved.path(), false, every, &mut |_| ControlFlow::Continue(()));

    assert_eq!(seen, (0..STEPS).collect::<Vec<_>>());
    assert_eq!(weights(&stopping), weights(&usual));
    assert_eq!(numbers(&found.state.log_history), numbers(&wanted.state.log_history));
    let kept = |dir: &Path| -> Vec<usize> {
        Checkpoint::list(dir).unwrap().iter().map(|it| it.step).collect()
    };
    assert_eq!((kept(whole.path()), kept(saved.path())), (vec![4, 8, 12], vec![4, 8, 12]));
}

#[test]
fn a_run_that_was_stopped_goes_on_to_the_very_same_weights() {
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (usual, stopped, resumed) = (trainee(), trainee(), trainee());
    let wanted = run(&usual, whole.path(), false, None, &mut |_| ControlFlow::Continue(()));

    let at_stop = run(&stopped, broken.path(), false, None, &mut |event| match event {
        Event::Step { step, .. } if step.number == 5 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let found = run(&resumed, broken.path(), true, None, &mut |_| ControlFlow::Continue(()));

    // Step 6 was on the GPU by then.
    assert_eq!((at_stop.finished, at_stop.state.global_step), (false, 7));
    assert!(found.finished);
    assert_eq!(weights(&resumed), weights(&usual));
    assert_eq!(numbers(&found.state.log_history), numbers(&wanted.state.log_history));
}

fn options() -> TrainingOptions {
    let mut options = TrainingOptions {
        max_steps: STEPS,
        batch_size: 2,
        gradient_accumulation_steps: 2,
        learning_rate: 1e-2,
        logging_steps: 3,
        save_steps: 4,
        save_total_limit: 9,
        ..TrainingOptions::default()
    };
    options.lora.dropout = 0.1;
    options
}

fn trainee() -> Trainee {
    let model = model::model(64, DType::F16, gpu(), DType::F16);
    let adapter = model::adapter(8, &[Target::QueryKeyValue], model.config(), gpu());
    Trainee::lora(model, adapter, "".into()).unwrap()
}

fn run(
    trainee: &Trainee,
    output: &Path,
    resume: bool,
    save_every: Option<Duration>,
    watch: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> RunSummary {
    let options = options();
    let samples: Vec<Sample> = [(30, 12), (75, 40), (9, 3), (52, 50), (64, 1)]
        .map(|(len, context)| model::sample(len, context))
        .to_vec();
    let identity = RunIdentity {
        options: options.clone(),
        rehearsal_digest: String::new(),
        dataset_digest: "of the five samples".to_owned(),
        model_fingerprint: "of the small model".to_owned(),
        weft_version: "test".to_owned(),
    };
    let (samples, held_out) = samples.split_at(4);
    let recipe = Recipe { options: &options, samples, rehearsal: &[], processes: &Alone };
    let run = Run { recipe, held_out, identity: &identity, output, resume, save_every };
    run.execute(trainee, watch).unwrap()
}
