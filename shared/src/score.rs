//! Counts of right answers, and how sure they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Of a normal distribution, the half width that holds 95 %.
const Z: f64 = 1.96;

/// Right answers among all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Score {
    pub right: usize,
    pub asked: usize,
}

impl Score {
    /// Share of right answers, 0 where nothing was asked.
    pub fn share(self) -> f64 {
        self.right as f64 / self.asked.max(1) as f64
    }

    /// Where the share lies with 95 % confidence (Wilson 1927, "Probable Inference"): right also for few questions and
    /// for shares near 0 and 1.
    pub fn interval(self) -> (f64, f64) {
        if self.asked == 0 {
            return (0.0, 1.0);
        }
        let (n, p) = (self.asked as f64, self.share());
        let denominator = 1.0 + Z * Z / n;
        let center = (p + Z * Z / (2.0 * n)) / denominator;
        let half = Z / denominator * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        ((center - half).max(0.0), (center + half).min(1.0))
    }

    fn add(&mut self, is_right: bool) {
        self.asked += 1;
        self.right += usize::from(is_right);
    }
}

/// How likely two that are equally good differ at least so much: of the questions that only one of them answered, one
/// won so many and the other so many (the exact sign test of paired answers).
pub fn by_chance(won: usize, lost: usize) -> f64 {
    let all = won + lost;
    // Logarithms: 2^all is beyond every float for some thousand questions.
    let mut log_of_choices = 0.0;
    let mut one_side = 0.0;
    for fewer in 0..=won.min(lost) {
        one_side += f64::exp(log_of_choices - all as f64 * std::f64::consts::LN_2);
        log_of_choices += ((all - fewer) as f64 / (fewer + 1) as f64).ln();
    }
    (2.0 * one_side).min(1.0)
}

/// Of all questions, and of each family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scores {
    pub all: Score,
    pub families: BTreeMap<String, Score>,
}

impl Scores {
    /// Counts one answer, in each of its families.
    pub fn add(&mut self, families: &[String], is_right: bool) {
        self.all.add(is_right);
        for family in families {
            self.families.entry(family.clone()).or_default().add(is_right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_wilsons() {
        let (low, high) = Score { right: 8, asked: 10 }.interval();

        // As `statsmodels.stats.proportion.proportion_confint(8, 10, method="wilson")` gives it.
        assert!((low - 0.4902).abs() < 1e-3 && (high - 0.9433).abs() < 1e-3, "{low} {high}");
    }

    #[test]
    fn all_right_is_not_certain() {
        let (low, high) = Score { right: 5, asked: 5 }.interval();

        assert!(low < 0.6 && (high - 1.0).abs() < 1e-9, "{low} {high}");
        assert_eq!(Score::default().interval(), (0.0, 1.0));
    }

    #[test]
    fn a_difference_is_less_likely_chance_the_more_one_sided_it_is() {
        // As `scipy.stats.binomtest(won, won + lost).pvalue` gives them.
        for (won, lost, likely) in
            [(0, 0, 1.0), (3, 3, 1.0), (5, 0, 0.0625), (1, 9, 0.021_484_375), (600, 400, 2.7e-10)]
        {
            let chance = by_chance(won, lost);
            assert!((chance - likely).abs() <= 0.05 * likely, "{won} {lost}: {chance}");
            assert_eq!(chance, by_chance(lost, won));
        }
        assert!(by_chance(40_000, 60_000) < 1e-12);
    }

    #[test]
    fn an_answer_counts_in_each_of_its_families() {
        let mut scores = Scores::default();

        scores.add(&["sums".into(), "zh".into()], true);
        scores.add(&["sums".into()], false);

        assert_eq!(scores.all, Score { right: 1, asked: 2 });
        assert_eq!(scores.families["sums"], Score { right: 1, asked: 2 });
        assert_eq!(scores.families["zh"], Score { right: 1, asked: 1 });
    }
}
