//! A run on the terminal.

use std::ops::ControlFlow;

use crate::training::{Event, LogEntry};

/// Shows a run on the terminal.
#[derive(Default)]
pub(super) struct Report {
    tokens_per_second: f64,
    total_steps: usize,
}

impl Report {
    pub(super) fn show(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Started { first_step, total_steps } => {
                self.total_steps = *total_steps;
                tracing::info!("steps {} to {total_steps}", first_step + 1);
            }
            Event::Step { tokens_per_second, .. } => self.tokens_per_second = *tokens_per_second,
            Event::Evaluating => {}
            Event::Logged(entry) => self.show_entry(entry),
            Event::Saved(checkpoint) => tracing::info!("saved {}", checkpoint.path.display()),
        }
        ControlFlow::Continue(())
    }

    fn show_entry(&self, entry: &LogEntry) {
        let total = self.total_steps;
        match entry {
            LogEntry::Train { epoch, step, loss, grad_norm, learning_rate } => tracing::info!(
                "step {step}/{total}  epoch {epoch:.2}  loss {loss:.4}  gradient norm {grad_norm:.3}  learning rate \
                 {learning_rate:.2e}  {:.0} tokens/s",
                self.tokens_per_second
            ),
            LogEntry::Eval { step, eval_loss, .. } => {
                tracing::info!("step {step}/{total}  evaluation loss {eval_loss:.4}");
            }
            LogEntry::Summary { train_loss, train_runtime, .. } => {
                tracing::info!("mean loss {train_loss:.4} in {train_runtime:.1} s");
            }
        }
    }
}
