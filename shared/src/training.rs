//! What a training run is asked to do. It travels with the run: in its checkpoints, and later from page to server.

use serde::{Deserialize, Serialize};

/// Which weights learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Low-rank adapters beside frozen weights.
    #[default]
    Lora,
    /// Every weight of the model.
    Full,
}

/// How the learning rate goes on after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Straight down to zero at the last step.
    #[default]
    Linear,
    /// Half a cosine wave down to zero at the last step.
    Cosine,
    /// Stays where the warm-up left it.
    Constant,
}

/// A low-rank adapter's shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LoraOptions {
    /// Rank of the update.
    pub r: usize,
    /// The update is scaled by `alpha / r`, with rank-stabilized LoRA by `alpha / sqrt(r)`.
    pub alpha: f64,
    /// Share of the branch's inputs that are zeroed in training, 0 to below 1.
    pub dropout: f32,
    /// Linear layers of each block that get an adapter, by their published names.
    pub target_modules: Vec<String>,
    /// Rank-stabilized scaling (Kalajdzievski 2023, "A Rank Stabilization Scaling Factor").
    pub use_rslora: bool,
}

impl Default for LoraOptions {
    /// The tutorial's values.
    fn default() -> Self {
        Self {
            r: 8,
            alpha: 32.0,
            dropout: 0.1,
            target_modules: vec!["query_key_value".to_owned()],
            use_rslora: false,
        }
    }
}

/// Everything that decides the numbers of a run, apart from model and data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TrainingOptions {
    pub method: Method,
    pub lora: LoraOptions,
    /// Optimizer steps, unless `epochs` is given.
    pub max_steps: usize,
    /// Passes over the training part; takes the place of `max_steps`.
    pub epochs: Option<f64>,
    /// Samples of one forward and backward pass.
    pub batch_size: usize,
    /// Samples of what the model can do already, beside the samples of each pass, so that it is not forgotten; 0: none.
    pub rehearsal_batch_size: usize,
    /// Share of the tokens of a question that training replaces, by others of the same question and of those that are
    /// rehearsed, so that an answer does not hang on every word of it; 0 to below 1.
    pub question_noise: f32,
    /// Passes whose gradients are averaged into one optimizer step.
    pub gradient_accumulation_steps: usize,
    /// The highest learning rate, reached at the end of the warm-up.
    pub learning_rate: f64,
    pub schedule: ScheduleKind,
    /// Steps over which the learning rate rises from zero.
    pub warmup_steps: usize,
    /// `AdamW`'s decay, taken off each weight times the learning rate.
    pub weight_decay: f64,
    /// Gradients are scaled down to this norm; 0 leaves them.
    pub max_grad_norm: f64,
    /// A line of the log every so many steps.
    pub logging_steps: usize,
    /// A checkpoint every so many steps.
    pub save_steps: usize,
    /// How many checkpoints are kept; 0 keeps all.
    pub save_total_limit: usize,
    /// Evaluation loss on the held-out part every so many steps; 0 evaluates at checkpoints only.
    pub eval_steps: usize,
    /// Share of the samples that is held out, 0 to below 1.
    pub eval_share: f64,
    /// Decides the adapter's first weights and the dropout.
    pub seed: u64,
    /// Decides the order of the samples and the held-out part.
    pub data_seed: u64,
    /// Puts samples of like length into one batch, so that processes which divide it have much the same to do.
    pub group_by_length: bool,
}

impl Default for TrainingOptions {
    /// The tutorial's values.
    fn default() -> Self {
        Self {
            method: Method::Lora,
            lora: LoraOptions::default(),
            max_steps: 1500,
            epochs: None,
            batch_size: 1,
            rehearsal_batch_size: 0,
            question_noise: 0.0,
            gradient_accumulation_steps: 1,
            learning_rate: 1e-4,
            schedule: ScheduleKind::Linear,
            warmup_steps: 0,
            weight_decay: 0.0,
            max_grad_norm: 1.0,
            logging_steps: 50,
            save_steps: 500,
            save_total_limit: 3,
            eval_steps: 0,
            eval_share: 0.0,
            seed: 42,
            data_seed: 42,
            group_by_length: false,
        }
    }
}

/// Why options cannot be trained with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} must be {wanted}, found {found}")]
pub struct InvalidOption {
    /// The option, as it is spelled in files.
    pub name: &'static str,
    pub wanted: &'static str,
    pub found: String,
}

impl TrainingOptions {
    /// Checks every value that would only fail, or silently do nothing, later.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let check = |holds: bool, name, wanted, found: &dyn ToString| {
            if holds {
                Ok(())
            } else {
                Err(InvalidOption { name, wanted, found: found.to_string() })
            }
        };
        check(self.batch_size > 0, "batch_size", "1 or more", &self.batch_size)?;
        check(
            self.gradient_accumulation_steps > 0,
            "gradient_accumulation_steps",
            "1 or more",
            &self.gradient_accumulation_steps,
        )?;
        check(
            self.learning_rate.is_finite() && self.learning_rate > 0.0,
            "learning_rate",
            "above 0",
            &self.learning_rate,
        )?;
        check(
            self.weight_decay.is_finite() && self.weight_decay >= 0.0,
            "weight_decay",
            "0 or more",
            &self.weight_decay,
        )?;
        check(
            self.max_grad_norm.is_finite() && self.max_grad_norm >= 0.0,
            "max_grad_norm",
            "0 or more",
            &self.max_grad_norm,
        )?;
        check(self.logging_steps > 0, "logging_steps", "1 or more", &self.logging_steps)?;
        check(self.save_steps > 0, "save_steps", "1 or more", &self.save_steps)?;
        check(
            (0.0..1.0).contains(&self.eval_share),
            "eval_share",
            "from 0 to below 1",
            &self.eval_share,
        )?;
        check(
            (0.0..1.0).contains(&self.question_noise),
            "question_noise",
            "from 0 to below 1",
            &self.question_noise,
        )?;
        match self.epochs {
            Some(epochs) => {
                check(epochs.is_finite() && epochs > 0.0, "epochs", "above 0", &epochs)?;
            }
            None => check(self.max_steps > 0, "max_steps", "1 or more", &self.max_steps)?,
        }
        if self.method == Method::Lora {
            let lora = &self.lora;
            check(lora.r > 0, "lora.r", "1 or more", &lora.r)?;
            check(
                lora.alpha.is_finite() && lora.alpha > 0.0,
                "lora.alpha",
                "above 0",
                &lora.alpha,
            )?;
            check(
                (0.0..1.0).contains(&lora.dropout),
                "lora.dropout",
                "from 0 to below 1",
                &lora.dropout,
            )?;
            check(
                !lora.target_modules.is_empty(),
                "lora.target_modules",
                "at least one linear layer",
                &"none",
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tutorials_options_are_the_default_and_valid() {
        let options = TrainingOptions::default();

        assert_eq!(options.validate(), Ok(()));
        assert_eq!((options.max_steps, options.logging_steps, options.save_steps), (1500, 50, 500));
        assert_eq!((options.lora.r, options.lora.alpha), (8, 32.0));
    }

    #[test]
    fn an_invalid_option_is_named_with_what_was_found() {
        let options = TrainingOptions { batch_size: 0, ..TrainingOptions::default() };

        let error = options.validate().unwrap_err();

        assert_eq!(error.to_string(), "batch_size must be 1 or more, found 0");
    }

    #[test]
    fn a_misspelled_option_is_refused() {
        let read = serde_json::from_str::<TrainingOptions>(r#"{"learning_rat": 0.1}"#);

        assert!(read.unwrap_err().to_string().contains("learning_rat"));
    }
}
