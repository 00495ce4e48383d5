//! A reply becomes a pair of a dataset.

use leptos::prelude::*;
use weft_shared::{
    api::dataset::{Edits, NewDataset, RowEdit},
    pair::Pair,
};

use super::Desk;
use crate::{
    api::{self, CallError},
    components::chat::save_pair::Target,
    state::chat::Place,
};

const CONFLICT: u16 = 409;
/// So often somebody else may be quicker.
const TRIES: usize = 3;

impl Desk {
    /// Opens the form for a pair.
    pub(in super::super) fn begin_saving(self, place: Place) {
        self.saved.set(None);
        self.tell(async move {
            self.datasets.set(api::datasets::list().await?);
            self.saving.set(Some(place));
            Ok(())
        });
    }

    pub(in super::super) fn save(self, place: Place, target: Target, pair: Pair) {
        self.is_saving.set(true);
        self.tell(async move {
            let saved = put(target, pair).await;
            self.is_saving.set(false);
            self.saved.set(Some((place, saved?)));
            self.saving.set(None);
            Ok(())
        });
    }
}

/// Gives the name of the dataset that the pair is in.
async fn put(target: Target, pair: Pair) -> Result<String, CallError> {
    match target {
        Target::New(name) => {
            let new = NewDataset { name, pairs: vec![pair] };
            api::datasets::create(&new).await.map(|made| made.name)
        }
        Target::Dataset(id) => add(id, pair).await,
    }
}

/// Adds a pair to a dataset as it now is. Gives the dataset's name.
async fn add(id: i64, pair: Pair) -> Result<String, CallError> {
    let mut tries = 1;
    loop {
        let dataset = api::datasets::get(id).await?.summary;
        let add = RowEdit::Add { pairs: vec![pair.clone()] };
        let edits = Edits { revision: dataset.revision, edits: vec![add] };
        match api::datasets::edit(id, &edits).await {
            Err(error) if error.status() == Some(CONFLICT) && tries < TRIES => tries += 1,
            added => return added.map(|_| dataset.name),
        }
    }
}
