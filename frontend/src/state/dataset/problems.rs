//! What is wrong with rows: found in the texts, and in the lengths as far as they are known.

use std::{ops::Range, sync::Arc};

use weft_shared::{
    dataset::{Finding, FindingKind, check_fit, check_text},
    pair::Pair,
};

use super::{
    lengths::Lengths,
    rows::{Row, Rows},
};

/// Kinds of problems, as one looks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    Empty,
    TooLong,
    Duplicate,
    SpecialToken,
}

impl ProblemKind {
    pub const ALL: [Self; 4] = [Self::Empty, Self::TooLong, Self::Duplicate, Self::SpecialToken];

    /// For the value of an option.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::Duplicate => "duplicate",
            Self::SpecialToken => "special-token",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub fn of(finding: &FindingKind) -> Self {
        match finding {
            FindingKind::EmptyQuestion | FindingKind::EmptyAnswer => Self::Empty,
            FindingKind::Duplicate { .. } => Self::Duplicate,
            FindingKind::SpecialToken { .. } => Self::SpecialToken,
            FindingKind::LongQuestion { .. } | FindingKind::LongAnswer { .. } => Self::TooLong,
        }
    }
}

/// What the texts of all rows tell, by the rows' places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextProblems {
    /// In the order of the places.
    findings: Vec<Finding>,
}

impl TextProblems {
    pub fn of(rows: &Rows) -> Self {
        let pairs: Vec<Arc<Pair>> = rows.iter().map(|row| row.pair.clone()).collect();
        Self { findings: check_text(&pairs) }
    }

    /// Of the row at a place.
    pub fn at(&self, place: usize) -> &[Finding] {
        &self.findings[self.range(place)]
    }

    pub fn count(&self, kind: ProblemKind) -> usize {
        let mut counted = None;
        let mut places = 0;
        for finding in self.findings.iter().filter(|it| ProblemKind::of(&it.kind) == kind) {
            places += usize::from(counted.replace(finding.pair) != Some(finding.pair));
        }
        places
    }

    fn range(&self, place: usize) -> Range<usize> {
        let start = self.findings.partition_point(|finding| finding.pair < place);
        let end = self.findings.partition_point(|finding| finding.pair <= place);
        start..end
    }
}

/// What the length of a row tells.
pub fn length_problems(row: &Row, lengths: &Lengths) -> Vec<FindingKind> {
    let measure = lengths.of(row);
    measure.into_iter().flat_map(|it| check_fit(it.question, it.answer)).collect()
}

/// How many rows are too long, of those that were counted.
pub fn too_long(rows: &Rows, lengths: &Lengths) -> usize {
    rows.iter().filter(|row| is_too_long(row, lengths)).count()
}

pub(super) fn is_too_long(row: &Row, lengths: &Lengths) -> bool {
    lengths.of(row).is_some_and(|it| it.question.is_cut() || it.answer.is_cut())
}

#[cfg(test)]
mod tests {
    use weft_shared::sample::Fit;

    use super::*;
    use crate::worker::Measure;

    #[test]
    fn a_row_has_the_problems_of_its_place() {
        let pairs = [Pair::new("q", "a"), Pair::new("", ""), Pair::new("q", "a")];
        let rows: Rows =
            pairs.into_iter().zip(1..).map(|(pair, key)| Row::new(key, pair)).collect();

        let problems = TextProblems::of(&rows);

        assert_eq!(problems.at(0), []);
        assert_eq!(problems.at(1).len(), 2);
        assert_eq!(problems.at(2)[0].kind, FindingKind::Duplicate { of: 0 });
        assert_eq!(problems.count(ProblemKind::Empty), 1);
        assert_eq!(problems.count(ProblemKind::Duplicate), 1);
    }

    #[test]
    fn only_what_was_counted_can_be_too_long() {
        let rows: Rows = [Row::new(1, Pair::new("q", "a")), Row::new(2, Pair::new("r", "a"))]
            .into_iter()
            .collect();
        let mut lengths = Lengths::default();
        let uncounted = lengths.uncounted(&rows);
        let (fits, long) = (Fit { tokens: 5, limit: 5 }, Fit { tokens: 6, limit: 5 });
        lengths.learn(uncounted, vec![Measure { question: fits, answer: long, sample: 0 }]);

        assert_eq!(too_long(&rows, &lengths), 1);
        let first = rows.at(0).unwrap();
        assert_eq!(length_problems(first, &lengths), [FindingKind::LongAnswer { fit: long }]);
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(ProblemKind::from_name(""), None);
    }
}
