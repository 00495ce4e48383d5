//! Weft's own record, `question` and `answer`, and the same under other names: `prompt` and `response`,
//! `content` and `summary` (the published P-tuning data), `context` and `target` (ChatGLM-Tuning).

use serde_json::{Map, Value, json};

use super::RecordError;
use super::fields::{self, ANSWER_NAMES, QUESTION_NAMES};
use crate::pair::Pair;

/// The names that a record uses for question and answer, if it has both.
pub(super) fn names(map: &Map<String, Value>) -> Option<(&'static str, &'static str)> {
    Some((first_of(QUESTION_NAMES, map)?, first_of(ANSWER_NAMES, map)?))
}

fn first_of(names: &'static [&'static str], map: &Map<String, Value>) -> Option<&'static str> {
    names.iter().find(|name| map.contains_key(**name)).copied()
}

pub(super) fn read(map: &Map<String, Value>) -> Result<Pair, RecordError> {
    let question = first_of(QUESTION_NAMES, map).ok_or(RecordError::Missing("question"))?;
    let answer = first_of(ANSWER_NAMES, map).ok_or(RecordError::Missing("answer"))?;
    Ok(Pair {
        question: fields::text(map, question)?,
        answer: fields::text(map, answer)?,
        history: fields::history(map)?,
        system: fields::system(map)?,
        tags: fields::tags(map)?,
    })
}

pub(super) fn write(pair: &Pair) -> Value {
    let mut record = json!({ "question": pair.question, "answer": pair.answer });
    fields::add_context(&mut record, pair);
    if !pair.tags.is_empty() {
        record["tags"] = json!(pair.tags);
    }
    record
}
