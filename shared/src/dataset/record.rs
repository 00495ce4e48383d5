//! One JSON record, whatever its shape, to a pair and back.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Record, alpaca, conversation, fields, plain};
use crate::pair::Pair;

/// Why a record gives no pair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("not JSON: {0}")]
    NotJson(String),
    #[error("the list is not closed; the file may be cut off")]
    ListNotClosed,
    #[error("a record is an object in braces, and this is {0}")]
    NotAnObject(&'static str),
    #[error("no question and answer among its fields ({0})")]
    UnknownShape(String),
    #[error("no `{0}`")]
    Missing(&'static str),
    #[error("`{field}` is {found}, not {wanted}")]
    WrongType { field: &'static str, found: &'static str, wanted: &'static str },
    #[error("the conversation is empty")]
    NoTurns,
    #[error("turn {turn} is of `{role}`, which ChatGLM-6B does not know")]
    UnknownRole { turn: usize, role: String },
    #[error("turn {turn} is the {found}'s, and the {wanted}'s was due")]
    OutOfTurn { turn: usize, found: &'static str, wanted: &'static str },
    #[error("the last question has no answer")]
    Unanswered,
    #[error("{found} fields, and the first line names {wanted} columns")]
    FieldCount { found: usize, wanted: usize },
    #[error("a quoted field is not closed")]
    QuoteNotClosed,
    #[error("text follows a closing quote; a quote inside a quoted field is written twice")]
    TextAfterQuote,
    #[error("{0}")]
    Table(String),
}

/// In words, for whoever reads a report.
impl Serialize for RecordError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The pair that a record holds, and the shape it has; only `wanted` is taken if given.
pub(super) fn pair_of(
    value: &Value,
    wanted: Option<Record>,
) -> Result<(Record, Pair), RecordError> {
    let Value::Object(map) = value else {
        return Err(RecordError::NotAnObject(fields::kind(value)));
    };
    let record = wanted.or_else(|| shape_of(map)).ok_or_else(|| unknown_shape(map))?;
    let pair = match record {
        Record::Weft => plain::read(map),
        Record::Alpaca => alpaca::read(map),
        Record::ShareGpt => conversation::read(map, "conversations"),
        Record::Messages => conversation::read(map, "messages"),
    }?;
    Ok((record, pair))
}

/// The record of a pair.
pub(super) fn record_of(pair: &Pair, record: Record) -> Value {
    match record {
        Record::Weft => plain::write(pair),
        Record::Alpaca => alpaca::write(pair),
        Record::ShareGpt => conversation::write_sharegpt(pair),
        Record::Messages => conversation::write_messages(pair),
    }
}

/// The shape of a record, by the names of its fields.
pub(super) fn shape_of(map: &Map<String, Value>) -> Option<Record> {
    if map.contains_key("messages") {
        Some(Record::Messages)
    } else if map.contains_key("conversations") {
        Some(Record::ShareGpt)
    } else if map.contains_key("instruction") {
        Some(Record::Alpaca)
    } else {
        plain::names(map).map(|_| Record::Weft)
    }
}

fn unknown_shape(map: &Map<String, Value>) -> RecordError {
    let names: Vec<_> = map.keys().take(8).map(String::as_str).collect();
    RecordError::UnknownShape(if names.is_empty() { "none".into() } else { names.join(", ") })
}
