//! `trainer_state.json`: the log of a run, in the form of `transformers.Trainer`, so that its tools read it.

use serde::{Deserialize, Serialize};

use crate::ops::LossScale;

/// One line of the log: a training step or an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogEntry {
    /// Means over the steps since the last such entry.
    Train {
        epoch: f64,
        step: usize,
        /// Mean training loss since the last entry, in nats a token.
        loss: f64,
        /// Gradient norm of this step, before clipping.
        grad_norm: f64,
        /// Learning rate of this step.
        learning_rate: f64,
    },
    /// Loss on the held-out part.
    Eval {
        epoch: f64,
        step: usize,
        /// Mean over the held-out part's label tokens, in nats.
        eval_loss: f64,
    },
    /// The last entry of a finished run.
    Summary {
        epoch: f64,
        step: usize,
        /// Mean of all steps' losses.
        train_loss: f64,
        /// Seconds, over all parts of a resumed run.
        train_runtime: f64,
        train_samples_per_second: f64,
        train_steps_per_second: f64,
    },
}

/// Where a run is, and what it has logged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainerState {
    pub best_metric: Option<f64>,
    pub best_model_checkpoint: Option<String>,
    pub epoch: f64,
    pub global_step: usize,
    pub max_steps: usize,
    pub num_train_epochs: usize,
    pub logging_steps: usize,
    pub save_steps: usize,
    pub eval_steps: usize,
    pub train_batch_size: usize,
    /// Tokens of all batches so far, padding included.
    pub num_input_tokens_seen: u64,
    pub is_local_process_zero: bool,
    pub is_world_process_zero: bool,
    pub log_history: Vec<LogEntry>,
    /// What a resumed run needs and `transformers` does not know.
    pub weft: Unlogged,
}

/// Sums that the log does not show yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Unlogged {
    /// Losses since the last log entry, and their number.
    pub loss_sum: f64,
    pub loss_steps: usize,
    /// Losses of all steps.
    pub total_loss: f64,
    /// Samples of all steps.
    pub samples: u64,
    /// Seconds of all parts of the run.
    pub seconds: f64,
    /// Updates of the optimizer: fewer than steps where gradients ran over.
    #[serde(default)]
    pub updates: Option<u32>,
    /// What the loss is multiplied with from here on.
    #[serde(default)]
    pub loss_scale: Option<LossScale>,
}

impl TrainerState {
    /// Adds a finished step's numbers.
    pub fn add_step(&mut self, loss: f64, tokens: u64, samples: u64) {
        self.global_step += 1;
        self.num_input_tokens_seen += tokens;
        self.weft.loss_sum += loss;
        self.weft.loss_steps += 1;
        self.weft.total_loss += loss;
        self.weft.samples += samples;
    }

    /// Logs the mean loss since the last entry.
    pub fn log_train(&mut self, grad_norm: f64, learning_rate: f64) {
        let loss = self.weft.loss_sum / self.weft.loss_steps.max(1) as f64;
        (self.weft.loss_sum, self.weft.loss_steps) = (0.0, 0);
        self.log_history.push(LogEntry::Train {
            epoch: self.epoch,
            step: self.global_step,
            loss,
            grad_norm,
            learning_rate,
        });
    }

    /// Logs an evaluation, and remembers the best.
    pub fn log_eval(&mut self, eval_loss: f64) {
        if self.best_metric.is_none_or(|best| eval_loss < best) {
            self.best_metric = Some(eval_loss);
        }
        let (epoch, step) = (self.epoch, self.global_step);
        self.log_history.push(LogEntry::Eval { epoch, step, eval_loss });
    }

    /// Logs the end of the run.
    pub fn log_summary(&mut self) {
        let seconds = self.weft.seconds.max(f64::MIN_POSITIVE);
        self.log_history.push(LogEntry::Summary {
            epoch: self.epoch,
            step: self.global_step,
            train_loss: self.weft.total_loss / self.global_step.max(1) as f64,
            train_runtime: self.weft.seconds,
            train_samples_per_second: self.weft.samples as f64 / seconds,
            train_steps_per_second: self.global_step as f64 / seconds,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_holds_the_mean_loss_since_the_last() {
        let mut state = TrainerState::default();

        for loss in [4.0, 2.0] {
            state.add_step(loss, 10, 1);
        }
        state.log_train(1.5, 1e-4);
        state.add_step(1.0, 10, 1);
        state.log_train(1.0, 1e-4);

        let losses: Vec<f64> = state
            .log_history
            .iter()
            .filter_map(|entry| match entry {
                LogEntry::Train { loss, .. } => Some(*loss),
                _ => None,
            })
            .collect();
        assert_eq!(losses, [3.0, 1.0]);
    }

    #[test]
    fn the_file_reads_back_as_it_was_written() {
        let mut state = TrainerState { epoch: 0.5, ..Default::default() };
        state.add_step(0.1 + 0.2, 7, 1);
        state.log_train(0.3, 0.1);
        state.log_eval(2.5);
        state.log_summary();

        let text = serde_json::to_string_pretty(&state).unwrap();

        assert_eq!(serde_json::from_str::<TrainerState>(&text).unwrap(), state);
        assert!(text.contains("\"log_history\""));
    }
}
