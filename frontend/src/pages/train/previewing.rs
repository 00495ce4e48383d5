//! The dataset, encoded in the worker as a run would encode it.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use weft_shared::{api::dataset::DatasetSummary, pair::Pair, sample::SampleOptions};

use super::PAUSE_MS;
use crate::{api, state::train::preview::PreviewState, tokenizing::Tokenizing};

/// Which encoded data a preview is of.
#[derive(Clone, Debug, PartialEq)]
struct Subject {
    dataset: i64,
    revision: u64,
    encoding: SampleOptions,
}

/// Pairs of a dataset at a revision.
type Loaded = (i64, u64, Vec<Pair>);

/// Copies are of the same preview.
#[derive(Clone, Copy)]
pub struct Previewing {
    tokenizing: Tokenizing,
    of: RwSignal<Option<Subject>>,
    pub(super) state: RwSignal<PreviewState>,
    loaded: StoredValue<Option<Loaded>>,
}

impl Previewing {
    /// Encodes again whenever data, options or vocabulary changed and a moment passed.
    pub(super) fn new(
        tokenizing: Tokenizing,
        dataset: Memo<Option<DatasetSummary>>,
        encoding: RwSignal<SampleOptions>,
    ) -> Self {
        let preview = Self {
            tokenizing,
            of: RwSignal::default(),
            state: RwSignal::default(),
            loaded: StoredValue::default(),
        };
        let subject = Memo::new(move |_| {
            let dataset = dataset.get()?;
            Some(Subject {
                dataset: dataset.id,
                revision: dataset.revision,
                encoding: encoding.get(),
            })
        });
        let has_vocabulary = move || tokenizing.vocabulary.with(Option::is_some);
        Effect::new(move || {
            let is_of_the_model = tokenizing.is_of_the_model.get();
            let (true, Some(subject)) = (has_vocabulary(), subject.get()) else { return };
            if !is_of_the_model {
                preview.of.set(None);
                preview.state.set(PreviewState::OtherVocabulary);
                return;
            }
            spawn_local(async move {
                preview.of.set(Some(subject.clone()));
                preview.state.set(PreviewState::Computing);
                TimeoutFuture::new(PAUSE_MS).await;
                preview.compute(subject).await;
            });
        });
        preview
    }

    /// The digest of just this data; `None` where the page cannot tell.
    pub(super) async fn digest_of(
        self,
        dataset: &DatasetSummary,
        encoding: &SampleOptions,
    ) -> Option<String> {
        let has_vocabulary = self.tokenizing.vocabulary.with_untracked(Option::is_some);
        if !(has_vocabulary && self.tokenizing.is_of_the_model.get_untracked()) {
            return None;
        }
        let subject =
            Subject { dataset: dataset.id, revision: dataset.revision, encoding: encoding.clone() };
        let is_of_this = self.of.with_untracked(|of| of.as_ref() == Some(&subject));
        let ready = self.state.with_untracked(|state| state.digest().map(str::to_owned));
        if let Some(digest) = ready.filter(|_| is_of_this) {
            return Some(digest);
        }
        self.of.set(Some(subject.clone()));
        self.compute(subject).await;
        self.state.try_with_untracked(|state| state.digest().map(str::to_owned)).flatten()
    }

    /// Encodes the data, unless something else is wanted by now.
    async fn compute(self, subject: Subject) {
        let is_wanted =
            move |subject: &Subject| self.of.try_with_untracked(|of| of.as_ref() == Some(subject));
        if is_wanted(&subject) != Some(true) {
            return;
        }
        let state = match self.pairs(subject.dataset, subject.revision).await {
            Ok(pairs) => match self.tokenizing.digest(pairs, subject.encoding.clone()).await {
                Ok(digested) => PreviewState::Ready(digested),
                Err(reason) => PreviewState::Failed(reason),
            },
            Err(error) => PreviewState::Failed(error.to_string()),
        };
        if is_wanted(&subject) == Some(true) {
            self.state.set(state);
        }
    }

    async fn pairs(self, dataset: i64, revision: u64) -> Result<Vec<Pair>, api::CallError> {
        let loaded = self.loaded.try_with_value(|loaded| {
            let (id, at, pairs) = loaded.as_ref()?;
            ((*id, *at) == (dataset, revision)).then(|| pairs.clone())
        });
        if let Some(Some(pairs)) = loaded {
            return Ok(pairs);
        }
        let read = api::datasets::get(dataset).await?;
        let pairs: Vec<Pair> = read.rows.into_iter().map(|row| row.pair).collect();
        let _ = self.loaded.try_update_value(|loaded| {
            *loaded = Some((dataset, read.summary.revision, pairs.clone()));
        });
        Ok(pairs)
    }
}
