//! Conversations: ShareGPT's `conversations` of `from` and `value`, OpenAI's `messages` of `role` and `content`.
//!
//! Both are read by one rule: a system text may come first, then user and assistant take turns, and the assistant
//! has the last word. The last answer is the pair's; the turns before it are its history.

use serde_json::{Map, Value, json};

use super::RecordError;
use super::fields;
use crate::pair::{Pair, Turn};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    fn of(name: &str) -> Option<Self> {
        match name {
            "system" | "developer" => Some(Self::System),
            "human" | "user" => Some(Self::User),
            "gpt" | "assistant" | "chatgpt" | "bing" | "bard" => Some(Self::Assistant),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// Reads the conversation in `field`.
pub(super) fn read(map: &Map<String, Value>, field: &'static str) -> Result<Pair, RecordError> {
    let turns = match map.get(field) {
        Some(Value::Array(turns)) => turns,
        Some(other) => {
            return Err(RecordError::WrongType {
                field,
                found: fields::kind(other),
                wanted: "a list",
            });
        }
        None => return Err(RecordError::Missing(field)),
    };

    let mut system = fields::system(map)?;
    let mut history = Vec::new();
    let mut open: Option<String> = None;
    for (index, turn) in turns.iter().enumerate() {
        let (role, text) = read_turn(turn, index + 1)?;
        let wanted = if open.is_some() { Role::Assistant } else { Role::User };
        match role {
            Role::System if index == 0 => {
                system = Some(text).filter(|text| !text.is_empty()).or(system);
            }
            Role::User if open.is_none() => open = Some(text),
            Role::Assistant if let Some(question) = open.take() => {
                history.push(Turn::new(question, text));
            }
            _ => {
                return Err(RecordError::OutOfTurn {
                    turn: index + 1,
                    found: role.name(),
                    wanted: wanted.name(),
                });
            }
        }
    }
    if open.is_some() {
        return Err(RecordError::Unanswered);
    }
    let last = history.pop().ok_or(RecordError::NoTurns)?;
    Ok(Pair { question: last.question, answer: last.answer, history, system, tags: Vec::new() })
}

fn read_turn(turn: &Value, number: usize) -> Result<(Role, String), RecordError> {
    let Value::Object(map) = turn else {
        return Err(RecordError::WrongType {
            field: "turn",
            found: fields::kind(turn),
            wanted: "an object",
        });
    };
    let name = match fields::optional_text(map, "role")? {
        Some(role) => role,
        None => fields::optional_text(map, "from")?.ok_or(RecordError::Missing("role"))?,
    };
    let role = Role::of(&name).ok_or(RecordError::UnknownRole { turn: number, role: name })?;
    let text = match map.get("content") {
        Some(Value::Array(parts)) => joined(parts)?,
        Some(_) => fields::text(map, "content")?,
        None => fields::optional_text(map, "value")?.ok_or(RecordError::Missing("content"))?,
    };
    Ok((role, text))
}

/// OpenAI's `content` may be a list of parts; those of type `text` are one text.
fn joined(parts: &[Value]) -> Result<String, RecordError> {
    let no_text = RecordError::WrongType {
        field: "content",
        found: "a list with more than text",
        wanted: "text",
    };
    parts.iter().map(|part| part["text"].as_str().ok_or(no_text.clone())).collect()
}

pub(super) fn write_sharegpt(pair: &Pair) -> Value {
    let turns: Vec<_> = turns(pair)
        .flat_map(|(q, a)| {
            [json!({ "from": "human", "value": q }), json!({ "from": "gpt", "value": a })]
        })
        .collect();
    let mut record = json!({ "conversations": turns });
    if let Some(system) = &pair.system {
        record["system"] = json!(system);
    }
    record
}

pub(super) fn write_messages(pair: &Pair) -> Value {
    let system = pair.system.iter().map(|system| json!({ "role": "system", "content": system }));
    let turns = turns(pair).flat_map(|(q, a)| {
        [json!({ "role": "user", "content": q }), json!({ "role": "assistant", "content": a })]
    });
    json!({ "messages": system.chain(turns).collect::<Vec<_>>() })
}

/// History and pair, oldest first.
fn turns(pair: &Pair) -> impl Iterator<Item = (&str, &str)> {
    let earlier = pair.history.iter().map(|turn| (turn.question.as_str(), turn.answer.as_str()));
    earlier.chain([(pair.question.as_str(), pair.answer.as_str())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_is_learned_and_the_rest_is_history() {
        let pair = messages(json!([
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "a" },
            { "role": "assistant", "content": "b" },
            { "role": "user", "content": [{ "type": "text", "text": "c" }, { "type": "text", "text": "d" }] },
            { "role": "assistant", "content": "e" },
        ]));

        let wanted = Pair {
            history: vec![Turn::new("a", "b")],
            system: Some("Be brief.".into()),
            ..Pair::new("cd", "e")
        };
        assert_eq!(pair, Ok(wanted));
    }

    #[test]
    fn broken_conversations_say_where() {
        for (turns, reason) in [
            (json!([]), "the conversation is empty"),
            (json!([{ "from": "human", "value": "a" }]), "the last question has no answer"),
            (
                json!([{ "from": "gpt", "value": "a" }]),
                "turn 1 is the assistant's, and the user's was due",
            ),
            (
                json!([{ "from": "human", "value": "a" }, { "from": "human", "value": "b" }]),
                "turn 2 is the user's, and the assistant's was due",
            ),
            (
                json!([{ "from": "human", "value": "a" }, { "from": "function_call", "value": "b" }]),
                "turn 2 is of `function_call`, which ChatGLM-6B does not know",
            ),
            (json!([{ "role": "user", "content": null }]), "no `content`"),
            (json!([{ "role": "user" }]), "no `content`"),
            (json!(["a"]), "`turn` is text, not an object"),
            (json!("a"), "`messages` is text, not a list"),
        ] {
            assert_eq!(messages(turns).unwrap_err().to_string(), reason);
        }
    }

    fn messages(turns: Value) -> Result<Pair, RecordError> {
        read(json!({ "messages": turns }).as_object().unwrap(), "messages")
    }
}
