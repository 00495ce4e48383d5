//! What is to be evaluated: what the server has, and what of it is chosen.

use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::{
    adapter::AdapterInfo,
    dataset::{DatasetSummary, Version},
    evaluation::{Evaluation, NewEvaluation},
};

use crate::{
    api::{self, CallError},
    server::{Server, use_server},
    state::evaluate::form::Form,
};

/// Copies are of the same setup.
#[derive(Clone, Copy)]
pub struct Setup {
    pub(super) server: Server,
    pub(super) form: RwSignal<Form>,
    /// `None` until the server answers.
    pub(super) datasets: RwSignal<Option<Vec<DatasetSummary>>>,
    /// Of the chosen dataset.
    pub(super) versions: RwSignal<Vec<Version>>,
    pub(super) adapter: Memo<Option<AdapterInfo>>,
    pub(super) dataset: Memo<Option<DatasetSummary>>,
    /// `None` where something is missing or wrong.
    pub(super) request: Memo<Option<NewEvaluation>>,
    pub(super) is_starting: RwSignal<bool>,
    pub(super) trouble: RwSignal<Option<CallError>>,
}

impl Setup {
    pub(super) fn new(form: Form) -> Self {
        let server = use_server();
        let form = RwSignal::new(form);
        let datasets = RwSignal::new(None::<Vec<DatasetSummary>>);
        let adapter = Memo::new(move |_| {
            let form = form.get();
            server.adapters.with(|adapters| form.adapter(adapters).cloned())
        });
        let dataset = Memo::new(move |_| {
            let (form, adapter) = (form.get(), adapter.get());
            datasets.with(|all| form.dataset(all.as_deref()?, adapter.as_ref()).cloned())
        });
        let request = Memo::new(move |_| {
            let form = form.get();
            server.adapters.with(|adapters| {
                datasets.with(|datasets| form.request(datasets.as_deref()?, adapters))
            })
        });
        let setup = Self {
            server,
            form,
            datasets,
            versions: RwSignal::default(),
            adapter,
            dataset,
            request,
            is_starting: RwSignal::new(false),
            trouble: RwSignal::default(),
        };
        // A run may have ended since.
        server.refresh_adapters();
        spawn_local(async move {
            match api::datasets::list().await {
                Ok(found) => drop(setup.datasets.try_set(Some(found))),
                Err(error) => drop(setup.trouble.try_set(Some(error))),
            }
        });
        let chosen = Memo::new(move |_| dataset.with(|it| it.as_ref().map(|it| it.id)));
        Effect::new(move || {
            setup.versions.set(Vec::new());
            if let Some(id) = chosen.get() {
                spawn_local(setup.read_versions(id));
            }
        });
        setup
    }

    async fn read_versions(self, id: i64) {
        let found = api::datasets::versions(id).await;
        let is_wanted =
            self.dataset.try_with_untracked(|it| it.as_ref().map(|it| it.id) == Some(id));
        if is_wanted != Some(true) {
            return;
        }
        match found {
            Ok(versions) => self.versions.set(versions),
            Err(error) => self.trouble.set(Some(error)),
        }
    }

    /// Starts what is set up.
    pub(super) async fn start(self) -> Option<Evaluation> {
        let request = self.request.get_untracked()?;
        self.is_starting.set(true);
        let started = api::evaluations::start(&request).await;
        if self.is_starting.try_set(false).is_some() {
            // The person left the page meanwhile.
            return None;
        }
        self.trouble.set(started.as_ref().err().cloned());
        let started = started.ok()?;
        // The dataset as it is may have become a version.
        self.read_versions(request.dataset).await;
        Some(started)
    }
}
