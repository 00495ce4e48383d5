//! Files of pairs, in the forms people have them in.
//!
//! | form            | one record                                                            | cannot hold           |
//! | --------------- | --------------------------------------------------------------------- | --------------------- |
//! | `weft-jsonl`, `weft-json` | `{"question", "answer", "history"?, "system"?, "tags"?}`    | nothing               |
//! | `alpaca-…`      | `{"instruction", "input", "output", "history"?, "system"?}`           | tags                  |
//! | `sharegpt-…`    | `{"conversations": [{"from": "human", "value": …}, …], "system"?}`    | tags                  |
//! | `messages-…`    | `{"messages": [{"role": "user", "content": …}, …]}`                   | tags                  |
//! | `csv`, `tsv`    | columns `question`, `answer`, `history` (JSON), `system`, `tags` (`a;b`) | a `;` or spaces around a tag |
//!
//! What a form cannot hold is left out when it is written ([`Form::loses`] says so beforehand). Everything else
//! comes back as it was; only an empty `system` is the same as none.
//!
//! Reading is forgiving about names and strict about text. Other common names of the two fields are known
//! (`prompt` and `response`, `content` and `summary`, `问题` and `答案`, …), Alpaca's `input` is appended to the
//! instruction on a line of its own, and a conversation is **one pair**: the last answer is learned, what was said
//! before it is history (`Pair::every_answer` makes one pair of each answer). A record that cannot be used becomes a
//! [`Problem`] with its line and the reason, and the others are kept.

mod alpaca;
mod check;
mod conversation;
mod fields;
mod form;
mod json_array;
mod json_lines;
mod line_counter;
mod plain;
mod record;
mod stats;
mod table;
mod write;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

pub use self::check::{Finding, FindingKind, check_fit, check_text};
use self::form::Container;
pub use self::form::{Form, Record, UnknownForm};
pub use self::json_lines::pair_from_json_line;
pub use self::record::RecordError;
pub use self::stats::{DatasetStats, LengthStats};
pub use self::write::write;
use crate::pair::Pair;

/// What a file held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Read {
    /// The form it was in; for JSON the shape of the first good record.
    pub form: Form,
    pub pairs: Vec<Pair>,
    /// The line that each pair starts on, counted from 1.
    pub lines: Vec<usize>,
    pub problems: Vec<Problem>,
}

/// A record that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line that the record starts on, counted from 1.
    pub line: usize,
    pub reason: RecordError,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// Why a file gives no dataset at all.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("not UTF-8 from byte {valid} on{hint}")]
    NotUtf8 {
        /// Bytes before the first that is wrong.
        valid: usize,
        hint: &'static str,
    },
    #[error("the file is empty")]
    Empty,
    #[error(
        "neither JSON, nor JSON lines, nor a table whose first line names a question and an answer column"
    )]
    UnknownForm,
    #[error("no question and answer among the columns {0}")]
    NoColumns(String),
    #[error("no usable pair{first}", first = first_of(.0))]
    NoPairs(Vec<Problem>),
    #[error("the table could not be written")]
    Table(#[from] csv::Error),
}

/// Reads a file of pairs; the form is found out unless it is given.
pub fn read(bytes: &[u8], form: Option<Form>) -> Result<Read, DatasetError> {
    let text = form::text_of(bytes)?;
    if text.trim().is_empty() {
        return Err(DatasetError::Empty);
    }
    let container = form.map_or_else(|| Container::detect(text), |form| Ok(form.container()))?;
    let wanted = form.and_then(Form::record);

    let mut found = wanted;
    let mut of_value = |value: &Value| {
        let (record, pair) = record::pair_of(value, wanted)?;
        found.get_or_insert(record);
        Ok(pair)
    };
    let mut good = (Vec::new(), Vec::new());
    let mut problems = Vec::new();
    let mut keep = |line, pair: Result<Pair, RecordError>| match pair {
        Ok(pair) => {
            good.0.push(pair);
            good.1.push(line);
        }
        Err(error) => problems.push(Problem { line, reason: error }),
    };
    match container {
        Container::Json => json_array::values(text)
            .for_each(|(line, value)| keep(line, value.and_then(|v| of_value(&v)))),
        Container::JsonLines => json_lines::values(text)
            .for_each(|(line, value)| keep(line, value.and_then(|v| of_value(&v)))),
        Container::Csv => table::pairs(text, b',')?.for_each(|(line, pair)| keep(line, pair)),
        Container::Tsv => table::pairs(text, b'\t')?.for_each(|(line, pair)| keep(line, pair)),
    }

    let (pairs, lines) = good;
    if pairs.is_empty() {
        return Err(DatasetError::NoPairs(problems));
    }
    Ok(Read { form: container.form(found.unwrap_or(Record::Weft)), pairs, lines, problems })
}

/// The first problem, which is most often every problem.
fn first_of(problems: &[Problem]) -> String {
    match problems {
        [] => String::new(),
        [only] => format!(": {only}"),
        [first, rest @ ..] => format!(": {first} (and {} more)", rest.len()),
    }
}
