//! The words of the page Evaluate.

use weft_shared::api::{evaluation::Outcome, job::JobState};

mod chinese;
mod english;

pub use chinese::CHINESE;
pub use english::ENGLISH;

#[derive(Debug)]
pub struct Words {
    pub title: &'static str,
    pub lead: &'static str,
    pub setup: &'static str,
    pub loading: &'static str,
    pub adapter: &'static str,
    pub adapter_help: &'static str,
    pub base_only: &'static str,
    pub dataset: &'static str,
    pub pairs: &'static str,
    pub same_data: &'static str,
    pub other_data: &'static str,
    pub any_data: &'static str,
    pub no_dataset: &'static str,
    pub no_dataset_next: &'static str,
    pub to_dataset: &'static str,
    pub version: &'static str,
    pub version_help: &'static str,
    pub as_it_is: &'static str,
    pub version_number: &'static str,
    pub limit: &'static str,
    pub limit_help: &'static str,
    pub limit_wrong: &'static str,
    pub template: &'static str,
    pub template_training: &'static str,
    pub template_training_help: &'static str,
    pub template_chat: &'static str,
    pub template_chat_help: &'static str,
    pub max_tokens: &'static str,
    pub max_tokens_help: &'static str,
    pub tokens: &'static str,
    pub start: &'static str,
    pub starting: &'static str,
    pub how: &'static str,
    pub none: &'static str,
    pub none_next: &'static str,
    pub base: &'static str,
    pub with_adapter: &'static str,
    pub queued: &'static str,
    pub running: &'static str,
    pub done: &'static str,
    pub failed: &'static str,
    pub cancelled: &'static str,
    pub progress: &'static str,
    pub asked: &'static str,
    pub of: &'static str,
    pub base_right: &'static str,
    pub adapter_right: &'static str,
    pub left: &'static str,
    pub cancel: &'static str,
    pub resume: &'static str,
    pub delete: &'static str,
    pub really_delete: &'static str,
    pub keep: &'static str,
    pub failed_next: &'static str,
    pub chat: &'static str,
    pub counts: &'static str,
    pub counts_help: &'static str,
    pub family: &'static str,
    pub all: &'static str,
    pub questions: &'static str,
    pub difference: &'static str,
    pub difference_help: &'static str,
    pub answers: &'static str,
    pub filter: &'static str,
    pub every: &'static str,
    pub learned: &'static str,
    pub forgotten: &'static str,
    pub both_wrong: &'static str,
    pub both_right: &'static str,
    pub wrong: &'static str,
    pub right: &'static str,
    pub wanted: &'static str,
    pub earlier: &'static str,
    pub is_right: &'static str,
    pub is_wrong: &'static str,
    pub empty_answer: &'static str,
    pub more: &'static str,
    pub nothing_here: &'static str,
    pub nothing_yet: &'static str,
    pub not_kept: &'static str,
    pub list: &'static str,
    pub list_of: &'static str,
    pub any_adapter: &'static str,
    /// Of two percentages.
    pub range: fn(f64, f64) -> String,
    pub learned_and_forgotten: fn(usize, usize) -> String,
    /// How likely so large a difference comes about by chance.
    pub chance: fn(f64) -> String,
}

impl Words {
    /// What an evaluation is doing.
    pub fn state(&self, state: JobState) -> &'static str {
        match state {
            JobState::Queued => self.queued,
            JobState::Running => self.running,
            JobState::Done => self.done,
            JobState::Failed => self.failed,
            JobState::Cancelled => self.cancelled,
        }
    }

    /// What became of a question, where the base was asked alone or beside an adapter.
    pub fn outcome(&self, outcome: Outcome, has_adapter: bool) -> &'static str {
        match outcome {
            Outcome::Learned => self.learned,
            Outcome::Forgotten => self.forgotten,
            Outcome::Wrong if has_adapter => self.both_wrong,
            Outcome::Right if has_adapter => self.both_right,
            Outcome::Wrong => self.wrong,
            Outcome::Right => self.right,
        }
    }
}
