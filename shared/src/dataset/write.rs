//! Pairs to a file.

use super::{DatasetError, Form, record, table};
use crate::pair::Pair;

/// The file of `pairs` in `form`, UTF-8, ending in a newline.
///
/// What the form cannot hold is left out; [`Form::loses`] tells of each pair.
pub fn write(pairs: &[Pair], form: Form) -> Result<Vec<u8>, DatasetError> {
    match form {
        Form::Csv => Ok(table::write(pairs, b',')?),
        Form::Tsv => Ok(table::write(pairs, b'\t')?),
        Form::JsonLines(record) => {
            let lines = pairs.iter().map(|pair| format!("{}\n", record::record_of(pair, record)));
            Ok(lines.collect::<String>().into_bytes())
        }
        // One record a line, so that a difference between two files can be read.
        Form::Json(record) => {
            let records: Vec<_> =
                pairs.iter().map(|pair| record::record_of(pair, record).to_string()).collect();
            Ok(format!("[\n{}\n]\n", records.join(",\n")).into_bytes())
        }
    }
}
