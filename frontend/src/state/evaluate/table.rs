//! The counts as a table: a line for all questions, and one for each family.

use weft_shared::{api::evaluation::EvaluationResult, score::Score};

/// From so many questions on, a tenth of a percent says something.
const MANY: usize = 500;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `None` is all questions.
    pub family: Option<String>,
    pub base: Score,
    pub adapter: Option<Score>,
}

/// All questions first, then the families by name.
pub fn lines(result: &EvaluationResult) -> Vec<Line> {
    let EvaluationResult { base, adapter, .. } = result;
    let all =
        Line { family: None, base: base.all, adapter: adapter.as_ref().map(|scores| scores.all) };
    let families = base.families.iter().map(|(family, &base)| {
        let adapter = adapter.as_ref().and_then(|scores| scores.families.get(family).copied());
        Line { family: Some(family.clone()), base, adapter }
    });
    std::iter::once(all).chain(families).collect()
}

/// The share of right answers, in percent.
pub fn percent(score: Score) -> String {
    format!("{:.*}", decimals(score), score.share() * 100.0)
}

/// Where the share lies, in whole percents.
pub fn range(score: Score) -> (f64, f64) {
    let (low, high) = score.interval();
    ((low * 100.0).round(), (high * 100.0).round())
}

/// What the adapter gained or lost, in percent of the questions.
pub fn difference(base: Score, adapter: Score) -> String {
    let points = (adapter.share() - base.share()) * 100.0;
    let size = format!("{:.*}", decimals(base), points.abs());
    let is_nothing = size.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    match points {
        _ if is_nothing => "0".into(),
        points if points > 0.0 => format!("+{size}"),
        _ => format!("−{size}"),
    }
}

fn decimals(score: Score) -> usize {
    usize::from(score.asked >= MANY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(right: usize, asked: usize) -> Score {
        Score { right, asked }
    }

    #[test]
    fn all_questions_come_before_the_families() {
        let mut result = EvaluationResult::default();
        result.base.add(&["zh".into(), "facts".into()], false);
        let adapter = result.adapter.get_or_insert_default();
        adapter.add(&["zh".into(), "facts".into()], true);

        let lines = lines(&result);

        let families: Vec<_> = lines.iter().map(|line| line.family.as_deref()).collect();
        assert_eq!(families, [None, Some("facts"), Some("zh")]);
        assert!(lines.iter().all(|it| it.base == score(0, 1) && it.adapter == Some(score(1, 1))));
    }

    #[test]
    fn many_questions_earn_a_decimal() {
        assert_eq!(percent(score(1, 3)), "33");
        assert_eq!(percent(score(200, 600)), "33.3");
        assert_eq!(range(score(8, 10)), (49.0, 94.0));
    }

    #[test]
    fn a_difference_has_its_sign() {
        assert_eq!(difference(score(1, 10), score(8, 10)), "+70");
        assert_eq!(difference(score(8, 10), score(7, 10)), "−10");
        assert_eq!(difference(score(2, 600), score(2, 600)), "0");
        assert_eq!(difference(score(2, 600), score(5, 600)), "+0.5");
    }
}
