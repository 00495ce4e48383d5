//! The learning rate of each step.

use weft_shared::training::{ScheduleKind, TrainingOptions};

/// Learning rate by step, as `transformers.get_scheduler` computes it.
#[derive(Clone, Debug)]
pub struct Schedule {
    kind: ScheduleKind,
    peak: f64,
    warmup_steps: usize,
    total_steps: usize,
}

impl Schedule {
    /// The schedule of a run of `total_steps` optimizer steps.
    pub fn new(options: &TrainingOptions, total_steps: usize) -> Self {
        Self {
            kind: options.schedule,
            peak: options.learning_rate,
            warmup_steps: options.warmup_steps,
            total_steps,
        }
    }

    /// Learning rate of the step numbered `step`, counted from 0.
    pub fn learning_rate(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let decaying = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let progress = ((step - self.warmup_steps) as f64 / decaying as f64).min(1.0);
        let share = match self.kind {
            ScheduleKind::Linear => 1.0 - progress,
            ScheduleKind::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
            ScheduleKind::Constant => 1.0,
        };
        self.peak * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_falls_straight_to_zero() {
        let schedule = schedule(ScheduleKind::Linear, 0, 10);

        let rates: Vec<f64> = [0, 5, 9, 10].map(|step| schedule.learning_rate(step)).into();

        assert_eq!(rates, [1.0, 0.5, 1.0 - 0.9, 0.0]);
    }

    #[test]
    fn warm_up_rises_from_zero_to_the_peak() {
        for kind in [ScheduleKind::Linear, ScheduleKind::Cosine, ScheduleKind::Constant] {
            let schedule = schedule(kind, 4, 12);

            assert_eq!([0, 2, 4].map(|step| schedule.learning_rate(step)), [0.0, 0.5, 1.0]);
        }
    }

    #[test]
    fn cosine_is_halfway_down_in_the_middle() {
        let schedule = schedule(ScheduleKind::Cosine, 0, 8);

        assert!((schedule.learning_rate(4) - 0.5).abs() < 1e-12);
    }

    fn schedule(schedule: ScheduleKind, warmup_steps: usize, total_steps: usize) -> Schedule {
        let options =
            TrainingOptions { learning_rate: 1.0, schedule, warmup_steps, ..Default::default() };
        Schedule::new(&options, total_steps)
    }
}
