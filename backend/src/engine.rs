//! The one model of a server: loaded once, shared by training and every chat, with each adapter beside it.

mod decoder;
mod turns;

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use candle_core::Device;
use weft_shared::{
    api::model::{ModelInfo, Recommended},
    pair,
    prompt::Templates,
    sample::{PositionRule, SampleOptions},
    tokenizer::ChatGlmTokenizer,
};

use self::decoder::Decoder;
pub use self::turns::{Turn, Turns};
use crate::{
    chat::{Answer, Chat, Template},
    chatglm::{ChatGlm, ParameterCount, module_tree},
    device::{self, WeightFormat},
    embedded,
    generation::{ChatMemory, GenerationError, SamplingOptions},
    lora::{Adapter, AdapterError},
    model_dir::{ModelDir, ModelDirError},
};

/// Why a model or an adapter cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Model(#[from] ModelDirError),
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error("the system gives no thread to write answers on")]
    Thread(#[source] io::Error),
}

/// A question, and how to answer it.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What was said before.
    pub history: Vec<pair::Turn>,
    pub text: String,
    pub template: Template,
    pub sampling: SamplingOptions,
    pub max_tokens: usize,
}

/// A loaded model, and whose turn it is.
pub struct Engine {
    name: String,
    source: String,
    fingerprint: String,
    dir: ModelDir,
    model: ChatGlm,
    tokenizer: ChatGlmTokenizer,
    templates: Templates,
    turns: Arc<Turns>,
    decoder: Decoder,
    memory: ChatMemory,
    /// By the id of the store's record; read once.
    adapters: Mutex<HashMap<i64, Arc<Adapter>>>,
}

impl Engine {
    /// Loads the model in `dir`, which was asked for as `source`: a folder, a hub id, or `embedded`; its frozen weights are
    /// kept in `format`.
    pub fn open(
        source: &str,
        dir: ModelDir,
        device: &Device,
        format: WeightFormat,
    ) -> Result<Self, EngineError> {
        let model = dir.load(format, device)?;
        let turns = Arc::<Turns>::default();
        let decoder = Decoder::start(model.clone(), turns.clone()).map_err(EngineError::Thread)?;
        Ok(Self {
            name: name_of(source),
            memory: ChatMemory::new(&model),
            source: source.to_owned(),
            fingerprint: dir.fingerprint()?,
            model,
            tokenizer: dir.tokenizer()?,
            templates: Templates::default(),
            turns,
            decoder,
            adapters: Mutex::default(),
            dir,
        })
    }

    /// The base's name in chat; an adapter's is `NAME:ADAPTER`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As it was asked for: what a manifest and PEFT's `base_model_name_or_path` say.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Digest of configuration and vocabulary.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub fn dir(&self) -> &ModelDir {
        &self.dir
    }

    pub fn model(&self) -> &ChatGlm {
        &self.model
    }

    pub fn tokenizer(&self) -> &ChatGlmTokenizer {
        &self.tokenizer
    }

    pub fn device(&self) -> &Device {
        self.model.device()
    }

    /// `cpu`, `cuda:0`, …
    pub fn device_name(&self) -> String {
        device::name_of(self.device())
    }

    /// What the chats keep keys and values in.
    pub fn memory(&self) -> &ChatMemory {
        &self.memory
    }

    /// Who may use the device.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Has a question answered, in one pass with all other answers that are being written. Whoever waits for it must not
    /// have a turn.
    pub fn answer(
        &self,
        question: &Question,
        adapter: Option<&Arc<Adapter>>,
    ) -> Result<Answer<'_>, GenerationError> {
        let Question { history, text, template, sampling, max_tokens } = question;
        let chat = Chat {
            model: &self.model,
            memory: &self.memory,
            adapter,
            tokenizer: &self.tokenizer,
            templates: &self.templates,
        };
        let generation =
            chat.generation(history, text, *template, sampling.clone(), *max_tokens)?;
        Ok(Answer::new(self.decoder.write(generation), &self.tokenizer))
    }

    /// The adapter in the folder `dir`, kept under the id of its record from the first time on.
    pub fn adapter(&self, id: i64, dir: &Path) -> Result<Arc<Adapter>, EngineError> {
        let mut adapters = self.adapters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(adapter) = adapters.get(&id) {
            return Ok(adapter.clone());
        }
        let adapter = Arc::new(Adapter::read(dir, self.model.config(), self.device())?);
        adapters.insert(id, adapter.clone());
        Ok(adapter)
    }

    /// Lets go of a deleted adapter; chats that use it finish with it.
    pub fn forget(&self, id: i64) {
        let known = self.adapters.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        if let Some(adapter) = known {
            self.memory.forget(&adapter);
        }
    }

    /// What a person may know of it.
    pub fn info(&self) -> ModelInfo {
        let config = self.model.config();
        ModelInfo {
            name: self.name.clone(),
            fingerprint: self.fingerprint.clone(),
            revision: config.revision.name().to_owned(),
            device: self.device_name(),
            dtype: self.model.kept_in().name().to_owned(),
            parameters: ParameterCount::of_model(config).total,
            modules: module_tree(config),
            hidden_size: config.hidden_size,
            inner_hidden_size: config.inner_hidden_size,
            num_layers: config.num_layers,
            num_attention_heads: config.num_attention_heads,
            vocab_size: config.vocab_size,
            tokens: self.tokenizer.vocab_size(),
            max_sequence_length: config.max_sequence_length,
            rehearsal_pairs: embedded::rehearsal(&self.source).len(),
            card: (self.source == embedded::NAME).then(|| embedded::CARD.to_owned()),
            recommended: self.recommended(),
        }
    }

    /// The embedded model's own; for others the tutorial's options, but with the positions that this revision's
    /// generation has: who trains other positions than are asked for later trains in part for nothing.
    fn recommended(&self) -> Recommended {
        if self.source == embedded::NAME {
            let (options, encoding) = embedded::recommended();
            return Recommended { encoding, options };
        }
        let config = self.model.config();
        let position_rule =
            if config.is_main() { PositionRule::Main } else { PositionRule::V096f3de };
        let encoding = SampleOptions {
            position_rule,
            position_encoding_2d: config.position_encoding_2d,
            ..SampleOptions::default()
        };
        Recommended { encoding, ..Recommended::default() }
    }
}

/// The last part of a folder or a hub id. A colon would be read as the begin of an adapter's name.
fn name_of(source: &str) -> String {
    let last = Path::new(source).file_name().map_or(source.into(), |name| name.to_string_lossy());
    last.replace(':', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_by_the_last_part() {
        assert_eq!(name_of("THUDM/chatglm-6b"), "chatglm-6b");
        assert_eq!(name_of("/models/mine/"), "mine");
        assert_eq!(name_of("embedded"), "embedded");
        assert_eq!(name_of("a:b"), "a-b");
    }
}
