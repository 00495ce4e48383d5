//! From a run's log to curves and to a table.

use super::run_log::{RunLog, StepPoint};
use crate::state::chart::{Look, Point, Series, smoothed};

/// How much of the smoothed loss is what came before.
const SMOOTHING: f64 = 0.9;

/// What the curves of the loss are called.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    pub each_step: &'static str,
    pub smoothed: &'static str,
    pub held_out: &'static str,
}

/// A line of the table: a step, and the loss on the held-out part where one was computed since the line before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableRow {
    pub point: StepPoint,
    pub held_out: Option<f64>,
}

/// The loss of a run, and the smoothed ones of others.
pub fn losses(log: &RunLog, others: &[(String, RunLog)], names: &Names) -> Vec<Series> {
    let raw = points(log, |point| point.loss);
    let smooth = smoothed(&raw, SMOOTHING);
    let held_out: Vec<Point> =
        log.evaluations().iter().map(|&(step, loss)| (step as f64, loss)).collect();
    let series = |name: &str, look, points| Series { name: name.to_owned(), look, points };

    let mut all = vec![series(names.each_step, Look::Raw, raw)];
    for (number, (name, other)) in others.iter().enumerate() {
        let loss = smoothed(&points(other, |point| point.loss), SMOOTHING);
        all.push(series(name, Look::Other(number), loss));
    }
    all.push(series(names.smoothed, Look::Main, smooth));
    if !held_out.is_empty() {
        all.push(series(names.held_out, Look::Dots, held_out));
    }
    all
}

/// One value of each step.
pub fn one(log: &RunLog, name: &str, value: fn(&StepPoint) -> f64) -> Vec<Series> {
    vec![Series { name: name.to_owned(), look: Look::Main, points: points(log, value) }]
}

/// About `most` rows, evenly over the run; the last step is the last row.
pub fn table(log: &RunLog, most: usize) -> Vec<TableRow> {
    let points = log.points();
    let every = points.len().div_ceil(most.max(1)).max(1);
    let mut told = 0;
    let row = |(_, point): (usize, &StepPoint)| {
        let since = |&&(step, _): &&(usize, f64)| step > told && step <= point.step;
        let held_out = log.evaluations().iter().rfind(since).map(|&(_, loss)| loss);
        told = point.step;
        TableRow { point: *point, held_out }
    };
    let is_shown = |index: usize| (points.len() - 1 - index).is_multiple_of(every);
    points.iter().enumerate().filter(|&(index, _)| is_shown(index)).map(row).collect()
}

fn points(log: &RunLog, value: fn(&StepPoint) -> f64) -> Vec<Point> {
    log.points().iter().map(|point| (point.step as f64, value(point))).collect()
}

#[cfg(test)]
mod tests {
    use weft_shared::api::job::{JobEvent, JobEventKind};

    use super::*;

    const NAMES: Names = Names { each_step: "each", smoothed: "smooth", held_out: "held out" };

    #[test]
    fn a_run_without_evaluations_has_no_curve_of_them() {
        let names = |log: &RunLog| {
            losses(log, &[], &NAMES).into_iter().map(|series| series.name).collect::<Vec<_>>()
        };

        assert_eq!(names(&run(10, 100)), ["each", "smooth"]);
        assert_eq!(names(&run(10, 5)), ["each", "smooth", "held out"]);
    }

    #[test]
    fn other_runs_are_drawn_smoothed_behind_the_selected_one() {
        let series = losses(&run(10, 100), &[("other".into(), run(5, 100))], &NAMES);

        assert_eq!((series[1].name.as_str(), series[1].look), ("other", Look::Other(0)));
        assert_eq!(series[2].look, Look::Main);
    }

    #[test]
    fn a_table_is_short_and_ends_with_the_last_step() {
        let rows = table(&run(1000, 100), 40);

        assert!(rows.len() <= 40);
        assert_eq!(rows.last().unwrap().point.step, 1000);
        assert_eq!(rows.iter().filter(|row| row.held_out.is_some()).count(), 10);
        assert!(table(&RunLog::default(), 40).is_empty());
    }

    /// So many steps, with an evaluation every so often.
    fn run(steps: usize, evaluated: usize) -> RunLog {
        let mut log = RunLog::default();
        let mut seq = 0;
        let mut tell = |kind| {
            seq += 1;
            log.receive(JobEvent { seq, at_ms: 0, kind });
        };
        for step in 1..=steps {
            tell(JobEventKind::Step {
                step,
                loss: 1.0,
                grad_norm: 1.0,
                learning_rate: 1e-4,
                tokens_per_second: 1.0,
                memory_bytes: 1,
                seconds_left: 1.0,
            });
            if step % evaluated == 0 {
                tell(JobEventKind::Evaluation { step, loss: 2.0 });
            }
        }
        log
    }
}
