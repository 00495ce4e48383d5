//! Files and pasted text to pairs, with a report of what became of them.

use weft_shared::{
    dataset::{DatasetError, Form, Problem, read},
    pair::Pair,
};

/// What became of one file, or of what was pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The file's name; `None` for what was pasted.
    pub file: Option<String>,
    pub outcome: Result<Form, Refusal>,
    /// How many pairs it gave.
    pub pairs: usize,
    /// Records that gave none.
    pub problems: Vec<Problem>,
}

/// Why a file gave no pair at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotUtf8 {
        valid: usize,
    },
    Empty,
    UnknownForm,
    NoColumns(String),
    /// Each record has a problem.
    NoPairs,
    Unreadable,
    /// The browser did not give its bytes.
    Unread,
}

impl Report {
    /// Of a file whose bytes the browser did not give.
    pub fn unread(file: String) -> Self {
        Self { file: Some(file), outcome: Err(Refusal::Unread), pairs: 0, problems: Vec::new() }
    }
}

/// Reads a file in whatever form it has.
pub fn import(file: Option<String>, bytes: &[u8]) -> (Report, Vec<Pair>) {
    let failed = |refusal, problems| Report {
        file: file.clone(),
        outcome: Err(refusal),
        pairs: 0,
        problems,
    };
    match read(bytes, None) {
        Ok(found) => {
            let report = Report {
                file,
                outcome: Ok(found.form),
                pairs: found.pairs.len(),
                problems: found.problems,
            };
            (report, found.pairs)
        }
        Err(error) => {
            let report = match error {
                DatasetError::NotUtf8 { valid, .. } => failed(Refusal::NotUtf8 { valid }, vec![]),
                DatasetError::Empty => failed(Refusal::Empty, vec![]),
                DatasetError::UnknownForm => failed(Refusal::UnknownForm, vec![]),
                DatasetError::NoColumns(names) => failed(Refusal::NoColumns(names), vec![]),
                DatasetError::NoPairs(problems) => failed(Refusal::NoPairs, problems),
                DatasetError::Table(_) => failed(Refusal::Unreadable, vec![]),
            };
            (report, Vec::new())
        }
    }
}

/// What a dataset is called that begins with a file.
pub fn dataset_name(file: &str) -> &str {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem).trim();
    if stem.is_empty() { file } else { stem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_records_are_kept_and_bad_ones_told_with_their_line() {
        let file = b"{\"question\":\"q\",\"answer\":\"a\"}\nnot json\n{\"question\":\"r\",\"answer\":\"b\"}\n";

        let (report, pairs) = import(Some("mine.jsonl".into()), file);

        assert_eq!(pairs.len(), 2);
        assert_eq!((report.pairs, report.problems[0].line), (2, 2));
        assert!(report.outcome.is_ok());
    }

    #[test]
    fn a_file_without_pairs_is_refused_with_the_reason() {
        assert_eq!(import(None, b"").0.outcome, Err(Refusal::Empty));
        assert_eq!(import(None, b"hello").0.outcome, Err(Refusal::UnknownForm));
        assert_eq!(import(None, &[0xFF, 0xFE]).0.outcome, Err(Refusal::NotUtf8 { valid: 0 }));
        assert_eq!(import(None, b"{\"a\":1}").0.outcome, Err(Refusal::NoPairs));
    }

    #[test]
    fn a_file_that_the_browser_did_not_give_is_named() {
        let report = Report::unread("gone.jsonl".into());

        assert_eq!(report.file.as_deref(), Some("gone.jsonl"));
        assert_eq!(report.outcome, Err(Refusal::Unread));
    }

    #[test]
    fn a_dataset_is_named_as_its_first_file() {
        assert_eq!(dataset_name("tea house.v2.jsonl"), "tea house.v2");
        assert_eq!(dataset_name("pairs"), "pairs");
        assert_eq!(dataset_name(".csv"), ".csv");
    }
}
