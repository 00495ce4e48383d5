//! The smallest model, three samples, and a run over them.

use std::{ops::ControlFlow, path::Path, time::Duration};

use candle_core::{DType, Device};
use weft::{
    lora::{Adapter, Target},
    model_dir::ModelDir,
    parallel::Alone,
    training::{Event, Recipe, Run, RunError, RunIdentity, RunSummary, Trainee},
};
use weft_shared::{
    sample::{PositionIds, Sample},
    training::{Method, TrainingOptions},
};

const GMASK: u32 = 301;
const SOP: u32 = 304;
const EOP: u32 = 305;

/// Twelve short steps with everything on that a resumed run could get wrong.
pub(crate) fn options() -> TrainingOptions {
    let mut options = TrainingOptions {
        max_steps: 12,
        batch_size: 2,
        gradient_accumulation_steps: 2,
        learning_rate: 1e-2,
        warmup_steps: 2,
        logging_steps: 3,
        save_steps: 4,
        eval_share: 0.2,
        ..Default::default()
    };
    options.lora.dropout = 0.2;
    options
}

/// Five questions of different lengths, answered with one or two tokens.
pub(crate) fn samples() -> Vec<Sample> {
    (0..5u32)
        .map(|n| {
            let mut input_ids: Vec<u32> = (0..=n).map(|place| 10 + 7 * n + place).collect();
            input_ids.extend([GMASK, SOP]);
            let context_length = input_ids.len() - 1;
            let answer: Vec<u32> =
                (0..=n % 2).map(|place| 100 + 10 * n + place).chain([EOP]).collect();
            let labels = vec![-100; input_ids.len()];
            let labels = labels.into_iter().chain(answer.iter().map(|&id| i64::from(id))).collect();
            input_ids.extend(answer);
            let seq = input_ids.len();
            let text = (0..seq as u32).collect();
            let block = (0..seq).map(|i| (i + 1).saturating_sub(context_length) as u32).collect();
            let position_ids = PositionIds::TwoRows([text, block]);
            Sample { input_ids, labels, position_ids, context_length }
        })
        .collect()
}

pub(crate) fn mini() -> ModelDir {
    ModelDir::open(&weft_tests::fixture("mini/checkpoint")).unwrap()
}

/// What a run with `options` trains, fresh.
pub(crate) fn trainee(options: &TrainingOptions) -> Trainee {
    let (dir, device) = (mini(), Device::Cpu);
    if options.method == Method::Full {
        let trainable = dir.load_trainable(DType::F32, &device).unwrap();
        return Trainee::full(trainable, dir.path().to_owned());
    }
    let model = dir.load(DType::F32, &device).unwrap();
    let targets = Target::from_names(&options.lora.target_modules).unwrap();
    let adapter =
        Adapter::initialize(options.lora.clone(), &targets, model.config(), options.seed, &device);
    Trainee::lora(model, adapter.unwrap(), "mini".into()).unwrap()
}

/// Trains `trainee` on [`samples`] in the folder `output`.
pub(crate) fn run(
    trainee: &Trainee,
    options: &TrainingOptions,
    output: &Path,
    resume: bool,
    watch: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<RunSummary, RunError> {
    execute(trainee, options, (output, resume, None), watch)
}

/// The same from the start, with a checkpoint also after so long.
pub(crate) fn run_saving(
    trainee: &Trainee,
    options: &TrainingOptions,
    output: &Path,
    save_every: Option<Duration>,
    watch: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<RunSummary, RunError> {
    execute(trainee, options, (output, false, save_every), watch)
}

fn execute(
    trainee: &Trainee,
    options: &TrainingOptions,
    (output, resume, save_every): (&Path, bool, Option<Duration>),
    watch: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<RunSummary, RunError> {
    let mut samples = samples();
    let held_out = if options.eval_share > 0.0 { samples.split_off(4) } else { Vec::new() };
    let identity = RunIdentity {
        options: options.clone(),
        rehearsal_digest: String::new(),
        dataset_digest: "of the five samples".to_owned(),
        model_fingerprint: "of the smallest model".to_owned(),
        weft_version: "test".to_owned(),
    };
    let run = Run {
        recipe: Recipe { options, samples: &samples, rehearsal: &[], processes: &Alone },
        held_out: &held_out,
        identity: &identity,
        output,
        resume,
        save_every,
    };
    run.execute(trainee, watch)
}

/// A watcher that never says stop.
pub(crate) fn to_the_end(_: Event) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
