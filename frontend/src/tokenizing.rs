//! The vocabulary in use and the worker that holds it: one for all pages, in the context.

use js_sys::ArrayBuffer;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;
use weft_shared::{pair::Pair, sample::SampleOptions};

use crate::{
    api, timing,
    worker::{Answer, Digested, Measure, Request, Vocabulary, client::Client},
};

/// The vocabulary in use, or on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Opening {
    /// Nothing was opened yet.
    #[default]
    Nothing,
    /// The worker reads a file of this name.
    Reading(String),
    /// Ready.
    Ready,
    /// A file of this name was no vocabulary; what was open before still is.
    Refused { name: String, reason: String },
}

/// Handles to both; copies are of the same ones.
#[derive(Clone, Copy)]
pub struct Tokenizing {
    client: StoredValue<Option<Client>, LocalStorage>,
    pub opening: RwSignal<Opening>,
    /// What the worker uses, also while it reads another.
    pub vocabulary: RwSignal<Option<Vocabulary>>,
    /// Whether the vocabulary in use is the served model's. Only then may a run be previewed.
    pub is_of_the_model: RwSignal<bool>,
}

/// Starts the worker and gives it the tokenizer of the server's model.
pub fn provide() -> Tokenizing {
    let tokenizing = Tokenizing {
        client: StoredValue::new_local(Client::start()),
        opening: RwSignal::default(),
        vocabulary: RwSignal::default(),
        is_of_the_model: RwSignal::new(false),
    };
    provide_context(tokenizing);
    tokenizing.open_from_server();
    tokenizing
}

/// The page's vocabulary and worker.
pub fn use_tokenizing() -> Tokenizing {
    expect_context()
}

impl Tokenizing {
    pub fn has_no_worker(self) -> bool {
        self.client.with_value(Option::is_none)
    }

    /// Takes the tokenizer of the server's model, where there is a server.
    pub fn open_from_server(self) {
        spawn_local(async move {
            // A page without a server tokenizes as well: a person opens a file.
            let Ok(status) = api::status().await else { return };
            if let Ok(bytes) = api::tokenizer().await {
                self.open(status.model, &bytes, true).await;
            }
        });
    }

    /// Goes back to the vocabulary of the server's model, where another one is open: runs are made with it.
    pub fn use_the_models(self) {
        let is_another = self.vocabulary.with_untracked(Option::is_some)
            && !self.is_of_the_model.get_untracked();
        if is_another {
            self.open_from_server();
        }
    }

    /// Reads a file that a person chose; it goes to the worker and nowhere else.
    pub fn open_file(self, file: File) {
        spawn_local(async move {
            let bytes = JsFuture::from(file.array_buffer()).await;
            if let Ok(bytes) = bytes.and_then(wasm_bindgen::JsCast::dyn_into) {
                self.open(file.name(), &bytes, false).await;
            }
        });
    }

    async fn open(self, name: String, bytes: &ArrayBuffer, is_of_the_model: bool) {
        self.opening.set(Opening::Reading(name.clone()));
        timing::mark("weft-vocabulary-read");
        match self.ask(&Request::Open { name }, Some(bytes)).await {
            Some(Answer::Opened(vocabulary)) => {
                self.is_of_the_model.set(is_of_the_model);
                self.vocabulary.set(Some(vocabulary));
                self.opening.set(Opening::Ready);
                timing::mark("weft-vocabulary-ready");
            }
            Some(Answer::Refused { name, reason }) => {
                self.opening.set(Opening::Refused { name, reason });
            }
            _ => self.opening.set(Opening::Nothing),
        }
    }

    /// How long pairs are; empty without a vocabulary. Ask for some hundred at a time: other requests wait.
    pub async fn measure(self, pairs: Vec<Pair>, options: SampleOptions) -> Vec<Measure> {
        match self.ask(&Request::Measure { pairs, options }, None).await {
            Some(Answer::Measured(measures)) => measures,
            _ => Vec::new(),
        }
    }

    /// The digest of a dataset as a run would be trained on it; the error is in words.
    pub async fn digest(
        self,
        pairs: Vec<Pair>,
        options: SampleOptions,
    ) -> Result<Digested, String> {
        match self.ask(&Request::Digest { pairs, options }, None).await {
            Some(Answer::Digested(digested)) => digested,
            _ => Err("the worker does not answer".to_owned()),
        }
    }

    /// Whatever the worker answers; `None` without a worker.
    pub async fn ask(self, request: &Request, buffer: Option<&ArrayBuffer>) -> Option<Answer> {
        let client = self.client.get_value()?;
        client.ask(request, buffer).await
    }
}
