//! Alpaca's record: `instruction`, `input`, `output`, and LLaMA-Factory's `history` and `system`.

use serde_json::{Map, Value, json};

use super::RecordError;
use super::fields;
use crate::pair::Pair;

pub(super) fn read(map: &Map<String, Value>) -> Result<Pair, RecordError> {
    // Dolly calls the same three fields `instruction`, `context` and `response`.
    let instruction = fields::text(map, "instruction")?;
    let input = fields::optional_text(map, "input")?.or(fields::optional_text(map, "context")?);
    let output = fields::optional_text(map, "output")?.or(fields::optional_text(map, "response")?);
    Ok(Pair {
        question: question(instruction, input.unwrap_or_default()),
        answer: output.ok_or(RecordError::Missing("output"))?,
        history: fields::history(map)?,
        system: fields::system(map)?,
        tags: Vec::new(),
    })
}

/// Instruction and input, each on lines of its own.
pub(super) fn question(instruction: String, input: String) -> String {
    match (instruction.is_empty(), input.is_empty()) {
        (_, true) => instruction,
        (true, false) => input,
        (false, false) => format!("{instruction}\n{input}"),
    }
}

pub(super) fn write(pair: &Pair) -> Value {
    let mut record = json!({ "instruction": pair.question, "input": "", "output": pair.answer });
    fields::add_context(&mut record, pair);
    record
}
