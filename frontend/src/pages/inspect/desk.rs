//! The inspector at work: its state, and the worker that it sends to.

use js_sys::ArrayBuffer;
use leptos::{ev, prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use crate::{
    api,
    state::inspect::Inspector,
    worker::{Request, client::Client},
};

/// Handles to both; copies are of the same desk.
#[derive(Clone, Copy)]
pub(super) struct Desk {
    pub(super) inspector: RwSignal<Inspector>,
    client: StoredValue<Option<Client>, LocalStorage>,
}

impl Desk {
    /// Starts the worker.
    pub(super) fn new() -> Self {
        let desk = Self { inspector: RwSignal::default(), client: StoredValue::new_local(None) };
        desk.client.set_value(Client::start(move |answer| {
            let request = desk.inspector.try_update(|inspector| inspector.receive(answer));
            desk.send(request.flatten());
        }));
        desk
    }

    pub(super) fn has_no_worker(self) -> bool {
        self.client.with_value(Option::is_none)
    }

    pub(super) fn edit(self, text: String) {
        let request = self.inspector.try_update(|inspector| inspector.edit(text));
        self.send(request.flatten());
    }

    pub(super) fn show_more(self) {
        let request = self.inspector.try_update(Inspector::show_more);
        self.send(request.flatten());
    }

    /// Reads a file that a person chose; it goes to the worker and nowhere else.
    pub(super) fn open_file(self, file: File) {
        spawn_local(async move {
            let bytes = JsFuture::from(file.array_buffer()).await;
            if let Ok(bytes) = bytes.and_then(wasm_bindgen::JsCast::dyn_into) {
                self.open(file.name(), &bytes);
            }
        });
    }

    /// Reads a file that was dropped on the page.
    pub(super) fn drop(self, event: &ev::DragEvent) {
        event.prevent_default();
        let files = event.data_transfer().and_then(|data| data.files());
        if let Some(file) = files.and_then(|files| files.get(0)) {
            self.open_file(file);
        }
    }

    /// Takes the tokenizer of the server's model, where it has one.
    pub(super) fn open_from_server(self) {
        spawn_local(async move {
            // A page without a server works as well: a person opens a file.
            let Ok(status) = api::status().await else { return };
            let Some(model) = status.model else { return };
            if let Ok(bytes) = api::tokenizer().await {
                self.open(model, &bytes);
            }
        });
    }

    fn open(self, name: String, bytes: &ArrayBuffer) {
        let request = self.inspector.try_update(|inspector| inspector.open(name));
        if let Some(request) = request {
            self.client.with_value(|client| {
                client.as_ref().map(|client| client.send(&request, Some(bytes)))
            });
        }
    }

    fn send(self, request: Option<Request>) {
        if let Some(request) = request {
            self.client
                .with_value(|client| client.as_ref().map(|client| client.send(&request, None)));
        }
    }
}
