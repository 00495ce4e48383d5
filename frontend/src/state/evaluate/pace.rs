//! How long the rest will take, from what was seen of it.

/// The first sight of an evaluation that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    evaluation: i64,
    asked: usize,
    at_ms: f64,
}

impl Pace {
    /// The pace to go by after an evaluation was seen, and the seconds that are left by it.
    pub fn see(
        before: Option<Self>,
        (evaluation, asked, questions): (i64, usize, usize),
        now_ms: f64,
    ) -> (Self, Option<f64>) {
        let first = before.filter(|it| it.evaluation == evaluation && it.asked <= asked);
        let first = first.unwrap_or(Self { evaluation, asked, at_ms: now_ms });
        let done = asked - first.asked;
        let seconds = (now_ms - first.at_ms) / 1000.0;
        let left = seconds / done as f64 * questions.saturating_sub(asked) as f64;
        (first, (done > 0).then_some(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_takes_as_long_a_question_as_what_was_seen() {
        let (first, left) = Pace::see(None, (1, 10, 50), 1000.0);
        assert_eq!(left, None);

        let (again, left) = Pace::see(Some(first), (1, 20, 50), 6000.0);

        assert_eq!((again, left), (first, Some(15.0)));
    }

    #[test]
    fn another_evaluation_has_a_pace_of_its_own() {
        let (first, _) = Pace::see(None, (1, 10, 50), 1000.0);

        let (other, left) = Pace::see(Some(first), (2, 20, 50), 6000.0);

        assert_eq!((other.evaluation, left), (2, None));
    }
}
