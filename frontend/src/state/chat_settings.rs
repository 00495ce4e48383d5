//! How replies are sampled: chosen by the person, kept by the browser.

use serde::{Deserialize, Serialize};
use weft_shared::api::chat::{ChatRequest, ChatTemplate, Message, StreamOptions};

/// The default is the reference's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatSettings {
    /// Always the likeliest token; the same question then has the same reply.
    pub greedy: bool,
    pub temperature: f32,
    pub top_p: f32,
    /// 0 keeps all.
    pub top_k: usize,
    pub repetition_penalty: f32,
    pub max_tokens: usize,
    /// Another one for each question where none is given.
    pub seed: Option<u64>,
    /// The server's choice where none is given: the training form for adapters, the chat form for the base.
    pub template: Option<ChatTemplate>,
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self {
            greedy: false,
            temperature: 0.95,
            top_p: 0.7,
            top_k: 50,
            repetition_penalty: 1.0,
            max_tokens: 512,
            seed: None,
            template: None,
        }
    }
}

impl ChatSettings {
    /// The request for one reply, in pieces and with its counts.
    pub fn request(&self, model: String, messages: Vec<Message>, seed: u64) -> ChatRequest {
        ChatRequest {
            model,
            messages,
            temperature: Some(if self.greedy { 0.0 } else { self.temperature }),
            top_p: Some(self.top_p),
            top_k: Some(self.top_k),
            repetition_penalty: Some(self.repetition_penalty),
            seed: Some(seed),
            max_tokens: Some(self.max_tokens),
            stream: true,
            stream_options: Some(StreamOptions { include_usage: true }),
            template: self.template,
            ..ChatRequest::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_is_temperature_zero_on_the_wire() {
        let settings = ChatSettings { greedy: true, ..ChatSettings::default() };

        let request = settings.request("base".into(), Vec::new(), 3);

        assert_eq!((request.temperature, request.seed, request.stream), (Some(0.0), Some(3), true));
    }

    #[test]
    fn settings_of_an_older_page_are_completed() {
        let settings: ChatSettings = serde_json::from_str(r#"{"top_p": 0.5}"#).unwrap();

        assert_eq!(settings, ChatSettings { top_p: 0.5, ..ChatSettings::default() });
    }
}
