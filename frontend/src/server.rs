//! What the page knows of its server: the model and the adapters, one for all pages, in the context.

use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::{adapter::AdapterInfo, model::ModelInfo};

use crate::api::{self, CallError};

/// Copies are of the same server.
#[derive(Clone, Copy)]
pub struct Server {
    /// `None` until it answers.
    pub model: RwSignal<Option<ModelInfo>>,
    pub adapters: RwSignal<Vec<AdapterInfo>>,
    /// Whether the server has said which adapters there are.
    pub has_adapters: RwSignal<bool>,
    /// Why the last question was not answered.
    pub trouble: RwSignal<Option<CallError>>,
}

/// Asks the server for both.
pub fn provide() -> Server {
    let server = Server {
        model: RwSignal::default(),
        adapters: RwSignal::default(),
        has_adapters: RwSignal::new(false),
        trouble: RwSignal::default(),
    };
    provide_context(server);
    spawn_local(async move {
        // The trouble is told.
        let _ = server.refresh_model().await;
    });
    server.refresh_adapters();
    server
}

/// The page's server.
pub fn use_server() -> Server {
    expect_context()
}

impl Server {
    /// Asks for the model again: it did not answer, or has been started with another.
    pub async fn refresh_model(self) -> Result<ModelInfo, CallError> {
        let answer = api::model::get().await;
        match &answer {
            Ok(model) => {
                self.model.set(Some(model.clone()));
                self.trouble.set(None);
            }
            Err(error) => self.trouble.set(Some(error.clone())),
        }
        answer
    }

    /// Asks for the adapters again: after a run, a deletion, a new name.
    pub fn refresh_adapters(self) {
        spawn_local(async move {
            match api::adapters::list().await {
                Ok(adapters) => {
                    self.adapters.set(adapters);
                    self.has_adapters.set(true);
                }
                Err(error) => self.trouble.set(Some(error)),
            }
        });
    }
}
