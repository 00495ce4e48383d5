//! A conversation to a streamed answer.

use std::sync::Arc;

use weft_shared::{
    api::chat::ChatTemplate,
    pair::Turn,
    prompt::Templates,
    tokenizer::{ChatGlmTokenizer, DecodeStream},
};

use crate::{
    chatglm::ChatGlm,
    generation::{ChatMemory, Finish, Generation, GenerationError, SamplingOptions, Tokens},
    lora::Adapter,
};

/// A model that can be talked to.
#[derive(Clone, Copy)]
pub struct Chat<'a> {
    pub model: &'a ChatGlm,
    /// Of all chats with the model.
    pub memory: &'a ChatMemory,
    pub adapter: Option<&'a Arc<Adapter>>,
    pub tokenizer: &'a ChatGlmTokenizer,
    pub templates: &'a Templates,
}

/// Which prompt a question without history gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Template {
    /// The reference's `chat`: the bare question.
    #[default]
    Chat,
    /// What a pair is trained with: `问:…` and the separator `\n答: `.
    Training,
}

impl From<ChatTemplate> for Template {
    fn from(template: ChatTemplate) -> Self {
        match template {
            ChatTemplate::Chat => Self::Chat,
            ChatTemplate::Training => Self::Training,
        }
    }
}

impl<'a> Chat<'a> {
    /// Starts the answer to `query` after `history`, which is computed whenever a piece of it is asked for.
    pub fn answer(
        self,
        history: &[Turn],
        query: &str,
        template: Template,
        sampling: SamplingOptions,
        max_tokens: usize,
    ) -> Result<Answer<'a>, GenerationError> {
        let generation = self.generation(history, query, template, sampling, max_tokens)?;
        Ok(Answer::new(generation.alone(self.model), self.tokenizer))
    }

    /// The same, to be computed by whoever has the model.
    pub fn generation(
        self,
        history: &[Turn],
        query: &str,
        template: Template,
        sampling: SamplingOptions,
        max_tokens: usize,
    ) -> Result<Generation, GenerationError> {
        let encode = |text: &str| self.tokenizer.encode_ids(text);
        let mut prompt_ids = match template {
            Template::Training if history.is_empty() => {
                let question = encode(&self.templates.training_prompt(query));
                [question, encode(&self.templates.separator)].concat()
            }
            _ => encode(&self.templates.chat_prompt(history, query)),
        };
        let special = self.tokenizer.special_ids();
        prompt_ids.extend([special.gmask, special.sop]);
        let adapter = self.adapter.cloned();
        let Self { model, memory, .. } = self;
        Generation::new(model, memory, adapter, prompt_ids, special, sampling, max_tokens)
    }

    /// The text of a whole answer.
    pub fn text(self, answer: &[u32]) -> String {
        let mut stream = self.tokenizer.decode_stream();
        let pieces = answer.iter().filter_map(|&token| stream.push(token));
        let text: String = pieces.collect();
        text + &stream.finish().unwrap_or_default()
    }
}

/// An answer that is being written, as text.
pub struct Answer<'a> {
    tokens: Box<dyn Tokens + 'a>,
    /// Gone when the answer has ended.
    stream: Option<DecodeStream<'a>>,
}

impl<'a> Answer<'a> {
    pub fn new(tokens: impl Tokens + 'a, tokenizer: &'a ChatGlmTokenizer) -> Self {
        Self { tokens: Box::new(tokens), stream: Some(tokenizer.decode_stream()) }
    }

    /// The text of the next token, empty while a character is incomplete; `None` at the end.
    pub fn next_text(&mut self) -> Result<Option<String>, GenerationError> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        if let Some(token) = self.tokens.next_token()? {
            return Ok(Some(stream.push(token).unwrap_or_default()));
        }
        Ok(self.stream.take().and_then(|mut stream| stream.finish()))
    }

    /// The ids of the whole prompt.
    pub fn prompt_ids(&self) -> &[u32] {
        self.tokens.prompt()
    }

    /// The ids so far.
    pub fn ids(&self) -> &[u32] {
        self.tokens.answer()
    }

    /// Why the answer ended, once it has.
    pub fn finish(&self) -> Option<Finish> {
        self.tokens.finish()
    }
}
