//! The options of a run that are numbers: what each may be, and where it is kept.

use std::str::FromStr;

use super::form::Settings;

/// An option that is typed as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    MaxSteps,
    Epochs,
    LearningRate,
    Rank,
    Alpha,
    Dropout,
    BatchSize,
    RehearsalBatchSize,
    QuestionNoise,
    Accumulation,
    WarmupSteps,
    WeightDecay,
    MaxGradNorm,
    LoggingSteps,
    SaveSteps,
    SaveTotalLimit,
    EvalSteps,
    EvalShare,
    Seed,
    DataSeed,
    MaxSourceLength,
    MaxTargetLength,
}

/// What a number may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A whole number, this one or more.
    Whole { from: u64 },
    /// A number above 0.
    AboveZero,
    /// 0 or more.
    FromZero,
    /// From 0 to below 1.
    Share,
}

impl Field {
    pub const ALL: [Self; 22] = [
        Self::MaxSteps,
        Self::Epochs,
        Self::LearningRate,
        Self::Rank,
        Self::Alpha,
        Self::Dropout,
        Self::BatchSize,
        Self::RehearsalBatchSize,
        Self::QuestionNoise,
        Self::Accumulation,
        Self::WarmupSteps,
        Self::WeightDecay,
        Self::MaxGradNorm,
        Self::LoggingSteps,
        Self::SaveSteps,
        Self::SaveTotalLimit,
        Self::EvalSteps,
        Self::EvalShare,
        Self::Seed,
        Self::DataSeed,
        Self::MaxSourceLength,
        Self::MaxTargetLength,
    ];

    /// Its name in the page's `data-testid`s and ids.
    pub fn id(self) -> &'static str {
        match self {
            Self::MaxSteps => "train-steps",
            Self::Epochs => "train-epochs",
            Self::LearningRate => "train-learning-rate",
            Self::Rank => "train-rank",
            Self::Alpha => "train-alpha",
            Self::Dropout => "train-dropout",
            Self::BatchSize => "train-batch-size",
            Self::RehearsalBatchSize => "train-rehearsal",
            Self::QuestionNoise => "train-question-noise",
            Self::Accumulation => "train-accumulation",
            Self::WarmupSteps => "train-warmup",
            Self::WeightDecay => "train-weight-decay",
            Self::MaxGradNorm => "train-grad-norm",
            Self::LoggingSteps => "train-logging-steps",
            Self::SaveSteps => "train-save-steps",
            Self::SaveTotalLimit => "train-save-limit",
            Self::EvalSteps => "train-eval-steps",
            Self::EvalShare => "train-eval-share",
            Self::Seed => "train-seed",
            Self::DataSeed => "train-data-seed",
            Self::MaxSourceLength => "train-max-source",
            Self::MaxTargetLength => "train-max-target",
        }
    }

    pub fn wanted(self) -> Wanted {
        match self {
            Self::MaxSteps
            | Self::Rank
            | Self::BatchSize
            | Self::Accumulation
            | Self::LoggingSteps
            | Self::SaveSteps
            | Self::MaxSourceLength
            | Self::MaxTargetLength => Wanted::Whole { from: 1 },
            Self::RehearsalBatchSize
            | Self::WarmupSteps
            | Self::SaveTotalLimit
            | Self::EvalSteps
            | Self::Seed
            | Self::DataSeed => Wanted::Whole { from: 0 },
            Self::LearningRate | Self::Epochs | Self::Alpha => Wanted::AboveZero,
            Self::WeightDecay | Self::MaxGradNorm => Wanted::FromZero,
            Self::Dropout | Self::QuestionNoise | Self::EvalShare => Wanted::Share,
        }
    }

    /// The value as a person would type it.
    pub fn text(self, settings: &Settings) -> String {
        match self.place(&mut settings.clone()) {
            Place::Count(count) => count.to_string(),
            Place::Seed(seed) => seed.to_string(),
            Place::Real(number) => number.to_string(),
            Place::Single(number) => number.to_string(),
            Place::Perhaps(number) => number.map_or_else(String::new, |number| number.to_string()),
        }
    }

    /// Keeps what was typed; `false`, and nothing is kept, where it is not what is [`Self::wanted`].
    pub fn take(self, text: &str, settings: &mut Settings) -> bool {
        fn put<T: FromStr>(text: &str, is_wanted: impl Fn(&T) -> bool, into: &mut T) -> bool {
            match text.trim().parse() {
                Ok(value) if is_wanted(&value) => {
                    *into = value;
                    true
                }
                _ => false,
            }
        }
        let wanted = self.wanted();
        match self.place(settings) {
            Place::Count(count) => put(text, |&count| wanted.allows(count as f64), count),
            Place::Seed(seed) => put(text, |_| true, seed),
            Place::Real(number) => put(text, |&number| wanted.allows(number), number),
            Place::Single(number) => put(text, |&number| wanted.allows(f64::from(number)), number),
            Place::Perhaps(number) => {
                let mut given = 0.0;
                let is_good = put(text, |&number| wanted.allows(number), &mut given);
                if is_good {
                    *number = Some(given);
                }
                is_good
            }
        }
    }

    fn place(self, settings: &mut Settings) -> Place<'_> {
        let Settings { options, encoding } = settings;
        match self {
            Self::MaxSteps => Place::Count(&mut options.max_steps),
            Self::Epochs => Place::Perhaps(&mut options.epochs),
            Self::LearningRate => Place::Real(&mut options.learning_rate),
            Self::Rank => Place::Count(&mut options.lora.r),
            Self::Alpha => Place::Real(&mut options.lora.alpha),
            Self::Dropout => Place::Single(&mut options.lora.dropout),
            Self::BatchSize => Place::Count(&mut options.batch_size),
            Self::RehearsalBatchSize => Place::Count(&mut options.rehearsal_batch_size),
            Self::QuestionNoise => Place::Single(&mut options.question_noise),
            Self::Accumulation => Place::Count(&mut options.gradient_accumulation_steps),
            Self::WarmupSteps => Place::Count(&mut options.warmup_steps),
            Self::WeightDecay => Place::Real(&mut options.weight_decay),
            Self::MaxGradNorm => Place::Real(&mut options.max_grad_norm),
            Self::LoggingSteps => Place::Count(&mut options.logging_steps),
            Self::SaveSteps => Place::Count(&mut options.save_steps),
            Self::SaveTotalLimit => Place::Count(&mut options.save_total_limit),
            Self::EvalSteps => Place::Count(&mut options.eval_steps),
            Self::EvalShare => Place::Real(&mut options.eval_share),
            Self::Seed => Place::Seed(&mut options.seed),
            Self::DataSeed => Place::Seed(&mut options.data_seed),
            Self::MaxSourceLength => Place::Count(&mut encoding.max_source_length),
            Self::MaxTargetLength => Place::Count(&mut encoding.max_target_length),
        }
    }
}

impl Wanted {
    fn allows(self, number: f64) -> bool {
        number.is_finite()
            && match self {
                Self::Whole { from } => number >= from as f64,
                Self::AboveZero => number > 0.0,
                Self::FromZero => number >= 0.0,
                Self::Share => (0.0..1.0).contains(&number),
            }
    }
}

/// Where a number is kept.
enum Place<'a> {
    Count(&'a mut usize),
    Seed(&'a mut u64),
    Real(&'a mut f64),
    Single(&'a mut f32),
    Perhaps(&'a mut Option<f64>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_typed_as_it_is_read() {
        let mut settings = Settings::default();
        settings.options.epochs = Some(2.5);
        for field in Field::ALL {
            let before = settings.clone();

            assert!(field.take(&field.text(&before), &mut settings), "{field:?}");
            assert_eq!(settings, before, "{field:?}");
        }
    }

    #[test]
    fn what_is_not_wanted_is_not_kept() {
        for (field, texts) in [
            (Field::MaxSteps, &["", "0", "-1", "1.5", "ten"][..]),
            (Field::LearningRate, &["0", "-1e-4", "inf", "NaN", "1e"]),
            (Field::Dropout, &["1", "-0.1"]),
            (Field::Epochs, &["0", ""]),
        ] {
            for text in texts {
                let mut settings = Settings::default();

                assert!(!field.take(text, &mut settings), "{field:?} took {text:?}");
                assert_eq!(settings, Settings::default());
            }
        }
    }

    #[test]
    fn a_learning_rate_may_be_written_with_a_power_of_ten() {
        let mut settings = Settings::default();

        assert!(Field::LearningRate.take(" 2e-5 ", &mut settings));

        assert_eq!(settings.options.learning_rate, 2e-5);
    }
}
