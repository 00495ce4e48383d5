//! Adapters and whole models learn samples by heart.

use weft::training::LogEntry;
use weft_shared::training::{LoraOptions, Method, TrainingOptions};

use crate::setup::{options, run, to_the_end, trainee};

#[test]
fn samples_are_learned_by_heart() {
    let adapter = |targets: &[&str], use_rslora| TrainingOptions {
        lora: LoraOptions {
            dropout: 0.0,
            use_rslora,
            target_modules: targets.iter().map(|&it| it.to_owned()).collect(),
            ..Default::default()
        },
        ..by_heart()
    };
    for options in [
        adapter(&["query_key_value"], false),
        adapter(&["all-linear"], false),
        adapter(&["dense", "dense_4h_to_h"], true),
        TrainingOptions { method: Method::Full, learning_rate: 3e-3, ..by_heart() },
    ] {
        let output = tempfile::tempdir().unwrap();

        let summary =
            run(&trainee(&options), &options, output.path(), false, &mut to_the_end).unwrap();

        let losses: Vec<f64> = summary
            .state
            .log_history
            .iter()
            .filter_map(|entry| match entry {
                LogEntry::Train { loss, .. } => Some(*loss),
                _ => None,
            })
            .collect();
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        assert!(last < 0.1 * first, "{:?} {:?}: {losses:?}", options.method, options.lora);
    }
}

fn by_heart() -> TrainingOptions {
    TrainingOptions {
        max_steps: 200,
        batch_size: 5,
        gradient_accumulation_steps: 1,
        logging_steps: 10,
        save_steps: 1000,
        eval_share: 0.0,
        ..options()
    }
}
