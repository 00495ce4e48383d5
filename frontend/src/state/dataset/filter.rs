//! Which rows are shown.

use std::ops::RangeInclusive;

use weft_shared::pair::Pair;

use super::{
    lengths::{Lengths, Part},
    problems::{ProblemKind, TextProblems, is_too_long},
    rows::{Key, Row, Rows},
};

/// All of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Each of these words is in question, answer or tags.
    pub words: String,
    pub problem: Wanted,
    pub length: Option<LengthRange>,
}

/// What a row's problems must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    #[default]
    Anything,
    /// Some problem, of any kind.
    AnyProblem,
    Problem(ProblemKind),
}

impl Wanted {
    /// For the value of an option.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anything => "",
            Self::AnyProblem => "any",
            Self::Problem(kind) => kind.name(),
        }
    }

    pub fn from_name(name: &str) -> Self {
        match name {
            "any" => Self::AnyProblem,
            name => ProblemKind::from_name(name).map_or(Self::Anything, Self::Problem),
        }
    }
}

/// Tokens from and to; open where `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthRange {
    pub part: Part,
    pub from: Option<usize>,
    pub to: Option<usize>,
}

impl LengthRange {
    pub fn of(part: Part, tokens: &RangeInclusive<usize>) -> Self {
        let to = (*tokens.end() < usize::MAX).then_some(*tokens.end());
        Self { part, from: Some(*tokens.start()), to }
    }

    fn holds(&self, tokens: usize) -> bool {
        self.from.is_none_or(|from| from <= tokens) && self.to.is_none_or(|to| tokens <= to)
    }
}

impl Filter {
    /// Whether every row is shown.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it asks how long rows are.
    pub fn needs_lengths(&self) -> bool {
        let by_problem =
            matches!(self.problem, Wanted::AnyProblem | Wanted::Problem(ProblemKind::TooLong));
        by_problem || self.length.is_some()
    }

    /// The keys of the rows to show, in their order.
    pub fn keys(&self, rows: &Rows, problems: &TextProblems, lengths: &Lengths) -> Vec<Key> {
        let words: Vec<String> = self.words.split_whitespace().map(str::to_lowercase).collect();
        let is_shown = |&(place, row): &(usize, &Row)| {
            self.has_problem(place, row, problems, lengths)
                && self.has_length(row, lengths)
                && has_words(&row.pair, &words)
        };
        rows.iter().enumerate().filter(is_shown).map(|(_, row)| row.key).collect()
    }

    fn has_problem(
        &self,
        place: usize,
        row: &Row,
        problems: &TextProblems,
        lengths: &Lengths,
    ) -> bool {
        match self.problem {
            Wanted::Anything => true,
            Wanted::AnyProblem => !problems.at(place).is_empty() || is_too_long(row, lengths),
            Wanted::Problem(ProblemKind::TooLong) => is_too_long(row, lengths),
            Wanted::Problem(kind) => {
                problems.at(place).iter().any(|it| ProblemKind::of(&it.kind) == kind)
            }
        }
    }

    fn has_length(&self, row: &Row, lengths: &Lengths) -> bool {
        let Some(range) = self.length else { return true };
        lengths.tokens(row, range.part).is_some_and(|tokens| range.holds(tokens))
    }
}

fn has_words(pair: &Pair, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let texts = [&pair.question, &pair.answer].into_iter().chain(&pair.tags);
    let texts: Vec<String> = texts.map(|text| text.to_lowercase()).collect();
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}

#[cfg(test)]
mod tests {
    use weft_shared::sample::Fit;

    use super::*;
    use crate::worker::Measure;

    /// Four rows, whose answers have 1, 2, … tokens of at most 3.
    fn found(filter: Filter) -> Vec<Key> {
        let pairs = [
            Pair::new("Where is Pell?", "In the BARN."),
            Pair::new("茶馆在哪里？", "在青石巷。"),
            Pair { tags: vec!["Robot".into()], ..Pair::new("Who repairs it?", "Bram.") },
            Pair::new("", "[MASK]"),
        ];
        let rows: Rows =
            pairs.into_iter().zip(1..).map(|(pair, key)| Row::new(key, pair)).collect();
        let mut lengths = Lengths::default();
        let uncounted = lengths.uncounted(&rows);
        let fit = |tokens| Fit { tokens, limit: 3 };
        let measure = |tokens| Measure { question: fit(1), answer: fit(tokens), sample: 0 };
        lengths.learn(uncounted, (1..=4).map(measure).collect());
        filter.keys(&rows, &TextProblems::of(&rows), &lengths)
    }

    fn words(words: &str) -> Filter {
        Filter { words: words.into(), ..Filter::default() }
    }

    fn problem(problem: Wanted) -> Filter {
        Filter { problem, ..Filter::default() }
    }

    #[test]
    fn an_open_filter_shows_everything() {
        assert_eq!(found(Filter::default()), [1, 2, 3, 4]);
        assert!(Filter::default().is_open());
    }

    #[test]
    fn words_are_found_in_question_answer_and_tags_whatever_their_case() {
        assert_eq!(found(words("barn")), [1]);
        assert_eq!(found(words("PELL  the")), [1]);
        assert_eq!(found(words("青石巷")), [2]);
        assert_eq!(found(words("robot")), [3]);
        assert!(found(words("robot barn")).is_empty());
    }

    #[test]
    fn rows_with_a_problem_are_found() {
        assert_eq!(found(problem(Wanted::AnyProblem)), [4]);
        assert_eq!(found(problem(Wanted::Problem(ProblemKind::Empty))), [4]);
        assert_eq!(found(problem(Wanted::Problem(ProblemKind::SpecialToken))), [4]);
        assert_eq!(found(problem(Wanted::Problem(ProblemKind::TooLong))), [4]);
        assert!(found(problem(Wanted::Problem(ProblemKind::Duplicate))).is_empty());
    }

    #[test]
    fn rows_are_found_by_length() {
        let length = |from, to| Filter {
            length: Some(LengthRange { part: Part::Answer, from, to }),
            ..Filter::default()
        };
        assert_eq!(found(length(Some(2), Some(3))), [2, 3]);
        assert_eq!(found(length(Some(3), None)), [3, 4]);
        assert_eq!(found(length(None, Some(1))), [1]);
    }

    #[test]
    fn what_is_wanted_is_found_by_its_name() {
        for wanted in [Wanted::Anything, Wanted::AnyProblem, Wanted::Problem(ProblemKind::TooLong)]
        {
            assert_eq!(Wanted::from_name(wanted.name()), wanted);
        }
    }

    #[test]
    fn ten_thousand_rows_are_searched_without_a_wait() {
        let pair = |n: i64| Pair::new(format!("Question number {n}"), "An answer. ".repeat(20));
        let rows: Rows = (0..10_000).map(|n| Row::new(n, pair(n))).collect();
        let started = std::time::Instant::now();

        let problems = TextProblems::of(&rows);
        let keys = words("number 999").keys(&rows, &problems, &Lengths::default());

        assert_eq!(keys.len(), 19);
        // Loose, for an unoptimized build on a busy machine: it catches what grows with the square.
        assert!(started.elapsed().as_secs() < 4, "{:?}", started.elapsed());
    }
}
