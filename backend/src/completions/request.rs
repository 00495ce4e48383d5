//! What a request asks, in the model's terms.

use weft_shared::{
    api::chat::{ChatRequest, Message, Role},
    pair::{Pair, Turn},
};

use super::CompletionError;
use crate::{chat::Template, engine::Question, generation::SamplingOptions};

/// Tokens of an answer, where the request does not say.
const DEFAULT_MAX_TOKENS: usize = 512;

/// What `request` asks, put into its own template or else into `default`.
pub(super) fn question(
    request: &ChatRequest,
    default: Template,
) -> Result<Question, CompletionError> {
    if let Some(n) = request.n.filter(|&n| n != 1) {
        return Err(CompletionError::field("n", "1", n));
    }
    let (history, text) = conversation(&request.messages)?;
    let max_tokens = request.max_completion_tokens.or(request.max_tokens);
    let max_tokens = max_tokens.unwrap_or(DEFAULT_MAX_TOKENS);
    if max_tokens == 0 {
        return Err(CompletionError::field("max_tokens", "1 or more", 0));
    }
    let template = request.template.map_or(default, Template::from);
    Ok(Question { history, text, template, sampling: sampling(request)?, max_tokens })
}

fn sampling(request: &ChatRequest) -> Result<SamplingOptions, CompletionError> {
    let default = SamplingOptions::default();
    let temperature = request.temperature.unwrap_or(default.temperature);
    if !(temperature.is_finite() && temperature >= 0.0) {
        return Err(CompletionError::field("temperature", "0 or more", temperature));
    }
    let greedy = temperature == 0.0;
    Ok(SamplingOptions {
        greedy,
        temperature: if greedy { default.temperature } else { temperature },
        top_p: request.top_p.unwrap_or(default.top_p),
        top_k: request.top_k.unwrap_or(default.top_k),
        repetition_penalty: request.repetition_penalty.unwrap_or(default.repetition_penalty),
        seed: request.seed.unwrap_or_else(rand::random),
    })
}

/// System texts first, then question and answer in turn, a question last.
fn conversation(messages: &[Message]) -> Result<(Vec<Turn>, String), CompletionError> {
    const WANTED: &str =
        "messages of system, then user and assistant in turn, the last one of user";
    let wrong = |found: String| CompletionError::field("messages", WANTED, found);

    let system = messages.iter().take_while(|message| message.role == Role::System);
    let system: Vec<&str> = system.map(|message| message.content.as_str()).collect();
    let mut said = messages[system.len()..].iter();
    let mut history = Vec::new();
    let question = loop {
        let question = match said.next() {
            Some(message) if message.role == Role::User => &message.content,
            Some(message) => {
                return Err(wrong(format!("{:?} in the place of a user", message.role)));
            }
            None => return Err(wrong("none of user at the end".to_owned())),
        };
        match said.next() {
            None => break question,
            Some(message) if message.role == Role::Assistant => {
                history.push(Turn::new(question, &message.content));
            }
            Some(message) => {
                return Err(wrong(format!("{:?} in the place of an assistant", message.role)));
            }
        }
    };
    if question.trim().is_empty() {
        return Err(CompletionError::field("messages", "a question", "an empty one"));
    }
    let system = (!system.is_empty()).then(|| system.join("\n"));
    Ok(Pair { history, system, ..Pair::new(question, "") }.conversation())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: Role, content: &str) -> Message {
        Message { role, content: content.into() }
    }

    #[test]
    fn system_text_is_put_before_the_first_question() {
        let messages = [
            message(Role::System, "Be brief."),
            message(Role::User, "a"),
            message(Role::Assistant, "b"),
            message(Role::User, "c"),
        ];

        let (history, question) = conversation(&messages).unwrap();

        assert_eq!(history, [Turn::new("Be brief.\na", "b")]);
        assert_eq!(question, "c");
    }

    #[test]
    fn what_is_no_conversation_is_refused_in_words() {
        let user = message(Role::User, "a");
        let assistant = message(Role::Assistant, "b");
        for messages in [
            vec![],
            vec![assistant.clone()],
            vec![user.clone(), user.clone()],
            vec![user.clone(), assistant],
            vec![user, message(Role::System, "c")],
            vec![message(Role::User, " ")],
        ] {
            let error = conversation(&messages).unwrap_err();
            assert!(error.to_string().starts_with("messages must be"), "{error}");
        }
    }

    #[test]
    fn temperature_zero_is_greedy_and_the_rest_is_the_references() {
        let mut request = ChatRequest {
            messages: vec![message(Role::User, "a")],
            seed: Some(1),
            ..ChatRequest::default()
        };

        let default = question(&request, Template::Chat).unwrap().sampling;
        request.temperature = Some(0.0);
        let greedy = question(&request, Template::Chat).unwrap().sampling;

        assert_eq!(default, SamplingOptions { seed: 1, ..SamplingOptions::default() });
        assert!(greedy.greedy);
    }
}
