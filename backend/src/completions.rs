//! Chat as OpenAI's API means it: a model by name, messages, sampling, stop texts; an answer in pieces.

mod activity;
mod error;
mod request;
mod stop;
mod writer;

use std::{
    sync::{Arc, mpsc as blocking},
    thread,
};

use tokio::sync::mpsc;
use weft_shared::api::chat::{ChatRequest, Usage};

use self::{activity::Activity, stop::StopTexts, writer::Writer};
pub use self::{activity::Counts, error::CompletionError};
use crate::{
    chat::Template, clock::now_ms, data_dir::DataDir, engine::Engine, lora::Adapter, store::Store,
};

/// Pieces that wait for a slow reader before its answer is held up.
const PIECES: usize = 64;

/// Answers chat requests; clones are of the same model and adapters.
#[derive(Clone)]
pub struct Completions {
    engine: Arc<Engine>,
    store: Store,
    dir: DataDir,
    activity: Arc<Activity>,
}

/// An answer that is being written. Dropped, it ends the writing within a token.
pub struct Completion {
    /// `chatcmpl-…`
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    pub model: String,
    pub pieces: mpsc::Receiver<Result<Piece, CompletionError>>,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// The last one. `stop` or `length`.
    End {
        finish_reason: &'static str,
        usage: Usage,
    },
}

impl Completions {
    pub fn new(engine: Arc<Engine>, store: Store, dir: DataDir) -> Self {
        Self { engine, store, dir, activity: Arc::default() }
    }

    /// What is going on, and what was done since the start.
    pub fn counts(&self) -> Counts {
        self.activity.counts()
    }

    /// Ends every answer that is being written, and starts no more.
    pub fn end(&self) {
        self.activity.end();
    }

    /// The names that requests may give: the base, and each adapter that was made for it with the time of its making
    /// in milliseconds since 1970.
    pub fn models(&self) -> Result<Vec<(String, u64)>, CompletionError> {
        let base = self.engine.name();
        let adapters = self.store.adapters()?.into_iter();
        let usable = adapters.filter(|it| {
            // A run that ends puts the name down first and the files a moment later.
            it.facts.model_fingerprint == self.engine.fingerprint()
                && self.dir.adapter(it.id).exists()
        });
        let adapters = usable.map(|it| (format!("{base}:{}", it.facts.name), it.created_ms));
        Ok([(base.to_owned(), 0)].into_iter().chain(adapters).collect())
    }

    /// Checks the request, and starts to write its answer on a thread of its own. Blocks while it reads an adapter.
    pub fn start(&self, request: &ChatRequest) -> Result<Completion, CompletionError> {
        let adapter = self.adapter(&request.model)?;
        let default = if adapter.is_some() { Template::Training } else { Template::Chat };
        let question = request::question(request, default)?;
        let stop = StopTexts::read(request.stop.as_ref())?;

        let place = self.activity.enter()?;
        let (sender, mut pieces) = mpsc::channel(PIECES);
        let (begun, begins) = blocking::sync_channel(1);
        let writer = Writer {
            engine: self.engine.clone(),
            adapter,
            question,
            stop,
            place,
            begun,
            to: sender,
        };
        thread::Builder::new().spawn(move || writer.write()).map_err(CompletionError::Thread)?;
        if begins.recv().is_err() {
            // It ended before it began, and has said why.
            return Err(match pieces.blocking_recv() {
                Some(Err(error)) => error,
                _ => CompletionError::Broken,
            });
        }
        Ok(Completion {
            id: format!("chatcmpl-{:016x}", rand::random::<u64>()),
            created: now_ms() / 1000,
            model: request.model.clone(),
            pieces,
        })
    }

    /// The adapter that a model's name asks for; `None` for the base. There is no other way to the base.
    fn adapter(&self, model: &str) -> Result<Option<Arc<Adapter>>, CompletionError> {
        let base = self.engine.name();
        if model == base {
            return Ok(None);
        }
        let name = model.strip_prefix(base).and_then(|rest| rest.strip_prefix(':'));
        let record = match name {
            Some(name) => self.store.adapters()?.into_iter().find(|it| it.facts.name == name),
            None => None,
        };
        let Some(record) = record else {
            let have = self.models()?.into_iter().map(|(name, _)| name).collect();
            return Err(CompletionError::NoModel { asked: model.to_owned(), have });
        };
        if record.facts.model_fingerprint != self.engine.fingerprint() {
            return Err(CompletionError::OtherModel { adapter: record.facts.name });
        }
        Ok(Some(self.engine.adapter(record.id, &self.dir.adapter(record.id))?))
    }
}
