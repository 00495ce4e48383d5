//! A run's states and the lines of its log.

use weft_shared::api::job::{JobEventKind, JobState};

use super::RunWords;
use crate::{
    i18n::{Language, quantity},
    state::chart::axis::short,
};

/// As a person says it.
pub fn state(state: JobState, words: &RunWords) -> &'static str {
    match state {
        JobState::Queued => words.queued,
        JobState::Running => words.running,
        JobState::Done => words.done,
        JobState::Failed => words.failed,
        JobState::Cancelled => words.cancelled,
    }
}

/// As it is written in the page's `data-value`s.
pub fn state_name(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "queued",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
    }
}

/// A line of the log.
pub fn line(kind: &JobEventKind, language: Language) -> String {
    let run = &language.words().train.run;
    let is_english = language == Language::English;
    match kind {
        JobEventKind::State { state: now, error: None } => state(*now, run).to_owned(),
        JobEventKind::State { state: now, error: Some(error) } => {
            format!("{}{}{error}", state(*now, run), if is_english { ": " } else { "：" })
        }
        JobEventKind::Started { first_step: 0, total_steps } if is_english => {
            format!("Starts; {total_steps} steps to go")
        }
        JobEventKind::Started { first_step: 0, total_steps } => {
            format!("开始，共 {total_steps} 步")
        }
        JobEventKind::Started { first_step, total_steps } if is_english => {
            format!("Goes on behind step {first_step} of {total_steps}")
        }
        JobEventKind::Started { first_step, total_steps } => {
            format!("从第 {first_step} 步之后继续，共 {total_steps} 步")
        }
        JobEventKind::Step { step, loss, grad_norm, tokens_per_second, .. } => {
            let speed = quantity::count(tokens_per_second);
            let (loss, norm) = (short(*loss), short(*grad_norm));
            if is_english {
                format!("Step {step}: loss {loss}, gradient norm {norm}, {speed} tokens/s")
            } else {
                format!("第 {step} 步：损失 {loss}，梯度范数 {norm}，{speed} 词元／秒")
            }
        }
        JobEventKind::Evaluation { step, loss } if is_english => {
            format!("Step {step}: held-out loss {}", short(*loss))
        }
        JobEventKind::Evaluation { step, loss } => {
            format!("第 {step} 步：留出部分的损失 {}", short(*loss))
        }
        JobEventKind::Saved { step } if is_english => format!("Step {step}: checkpoint complete"),
        JobEventKind::Saved { step } => format!("第 {step} 步：检查点已存好"),
        JobEventKind::Answers { step, answers } if is_english => {
            format!("Step {step}: {} questions answered", answers.len())
        }
        JobEventKind::Answers { step, answers } => {
            format!("第 {step} 步：回答了 {} 个问题", answers.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_says_its_numbers() {
        let kind = JobEventKind::Step {
            step: 1200,
            loss: 1.234_56,
            grad_norm: 0.5,
            learning_rate: 1e-4,
            tokens_per_second: 2345.4,
            memory_bytes: 0,
            seconds_left: 0.0,
        };

        assert_eq!(
            line(&kind, Language::English),
            "Step 1200: loss 1.235, gradient norm 0.5, 2\u{2009}345 tokens/s"
        );
    }

    #[test]
    fn a_failure_says_why() {
        let kind = JobEventKind::State { state: JobState::Failed, error: Some("no memory".into()) };

        assert_eq!(line(&kind, Language::Chinese), "失败：no memory");
    }
}
