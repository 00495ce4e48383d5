//! One JSON record a line.

use serde_json::Value;

use super::json_array::reason;
use super::{RecordError, record};
use crate::pair::Pair;

/// The value of each line that is not blank, with the line's number.
pub(super) fn values(text: &str) -> impl Iterator<Item = (usize, Result<Value, RecordError>)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| (index + 1, value(line)))
}

/// The pair of one line, in any shape that a JSON record may have.
pub fn pair_from_json_line(line: &str) -> Result<Pair, RecordError> {
    record::pair_of(&value(line)?, None).map(|(_, pair)| pair)
}

fn value(line: &str) -> Result<Value, RecordError> {
    serde_json::from_str(line).map_err(|error| {
        RecordError::NotJson(format!("{} (column {})", reason(&error), error.column()))
    })
}
