//! The fields that several forms have in common.

use serde_json::{Map, Value, json};

use super::RecordError;
use crate::pair::{Pair, Turn};

/// Names of the question's field or column; where a record has several, the first here counts.
pub(super) const QUESTION_NAMES: &[&str] =
    &["question", "instruction", "prompt", "query", "content", "context", "input", "问题", "提问"];
/// Names of the answer's field or column.
pub(super) const ANSWER_NAMES: &[&str] =
    &["answer", "output", "response", "completion", "summary", "target", "reply", "答案", "回答"];

/// A text that must be there.
pub(super) fn text(map: &Map<String, Value>, field: &'static str) -> Result<String, RecordError> {
    optional_text(map, field)?.ok_or(RecordError::Missing(field))
}

/// A text that may be missing or `null`.
pub(super) fn optional_text(
    map: &Map<String, Value>,
    field: &'static str,
) -> Result<Option<String>, RecordError> {
    match map.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(RecordError::WrongType { field, found: kind(other), wanted: "text" }),
    }
}

/// `history`: a list of question and answer.
pub(super) fn history(map: &Map<String, Value>) -> Result<Vec<Turn>, RecordError> {
    match map.get("history") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => history_of(value),
    }
}

pub(super) fn history_of(value: &Value) -> Result<Vec<Turn>, RecordError> {
    let wrong = |found| RecordError::WrongType {
        field: "history",
        found,
        wanted: "a list of [question, answer]",
    };
    let Value::Array(turns) = value else { return Err(wrong(kind(value))) };
    turns
        .iter()
        .map(|turn| match turn.as_array().map(Vec::as_slice) {
            Some([Value::String(question), Value::String(answer)]) => {
                Ok(Turn::new(question, answer))
            }
            Some(_) => Err(wrong("a list of something else")),
            None => Err(wrong(kind(turn))),
        })
        .collect()
}

/// `system`: an empty one is none.
pub(super) fn system(map: &Map<String, Value>) -> Result<Option<String>, RecordError> {
    Ok(optional_text(map, "system")?.filter(|text| !text.is_empty()))
}

/// `tags`: a list of words, or one word.
pub(super) fn tags(map: &Map<String, Value>) -> Result<Vec<String>, RecordError> {
    let wrong = |found| RecordError::WrongType { field: "tags", found, wanted: "a list of words" };
    match map.get("tags") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(tag)) => Ok(vec![tag.clone()]),
        Some(Value::Array(tags)) => tags
            .iter()
            .map(|tag| tag.as_str().map(str::to_owned).ok_or_else(|| wrong(kind(tag))))
            .collect(),
        Some(other) => Err(wrong(kind(other))),
    }
}

/// Adds `history` and `system` where the pair has them.
pub(super) fn add_context(record: &mut Value, pair: &Pair) {
    if !pair.history.is_empty() {
        record["history"] = history_value(&pair.history);
    }
    if let Some(system) = &pair.system {
        record["system"] = json!(system);
    }
}

pub(super) fn history_value(history: &[Turn]) -> Value {
    history.iter().map(|turn| json!([turn.question, turn.answer])).collect()
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
