//! Pairs of the datasets: which one is looked at stands in the address, `?dataset=ID&row=ROW` with a row's id.

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use weft_shared::{
    api::dataset::{Dataset, DatasetSummary, Row},
    pair::Pair,
};

use crate::{api, components::pair_picks::PickedRow};

type Navigate = Rc<dyn Fn(&str)>;

/// Copies are of the same choice.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) datasets: RwSignal<Vec<DatasetSummary>>,
    pub(super) picked: Memo<Option<PickedRow>>,
    dataset: RwSignal<Option<Dataset>>,
    /// Dataset, and row if one is named.
    address: Memo<Option<(i64, Option<i64>)>>,
    navigate: StoredValue<Navigate, LocalStorage>,
}

impl Rows {
    /// `on_pair` gets the pair that the address names, now and whenever it names another.
    pub(super) fn new(on_pair: impl Fn(Pair) + 'static) -> Self {
        let query = use_query_map();
        let address = Memo::new(move |_| {
            query.with(|query| {
                let number = |name| query.get_str(name).and_then(|value| value.parse().ok());
                Some((number("dataset")?, number("row")))
            })
        });
        let dataset = RwSignal::new(None::<Dataset>);
        let picked = Memo::new(move |_| {
            let (id, row) = address.get()?;
            dataset.with(|dataset| {
                let dataset = dataset.as_ref().filter(|dataset| dataset.summary.id == id)?;
                let row = row.and_then(|row| dataset.rows.iter().position(|it| it.id == row));
                let rows = dataset.rows.len();
                Some(PickedRow { dataset: id, row: row.unwrap_or(0), rows })
            })
        });
        let go = use_navigate();
        let navigate: Navigate = Rc::new(move |to: &str| {
            go(to, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        });
        let navigate = StoredValue::new_local(navigate);
        let rows = Self { datasets: RwSignal::default(), picked, dataset, address, navigate };

        spawn_local(async move {
            // A page without a server has no datasets, and needs none.
            if let Ok(datasets) = api::datasets::list().await {
                rows.datasets.try_set(datasets);
            }
        });
        Effect::new(move || rows.fetch());
        Effect::new(move || {
            if let Some(pair) = rows.pair() {
                on_pair(pair);
            }
        });
        rows
    }

    /// Looks at a dataset's first row; without one, at no dataset.
    pub(super) fn pick_dataset(self, id: Option<i64>) {
        match id {
            Some(id) => self.go(&format!("/inspect?dataset={id}")),
            None => self.leave(),
        }
    }

    /// Looks at another row, counted from 0.
    pub(super) fn pick_row(self, row: usize) {
        let to = self.dataset.with_untracked(|dataset| {
            let dataset = dataset.as_ref()?;
            let Row { id, .. } = dataset.rows.get(row)?;
            Some(format!("/inspect?dataset={}&row={id}", dataset.summary.id))
        });
        if let Some(to) = to {
            self.go(&to);
        }
    }

    /// The pair is no dataset's any more.
    pub(super) fn leave(self) {
        if self.address.get_untracked().is_some() {
            self.go("/inspect");
        }
    }

    fn go(self, to: &str) {
        self.navigate.with_value(|navigate| navigate(to));
    }

    fn pair(self) -> Option<Pair> {
        let picked = self.picked.get()?;
        self.dataset.with_untracked(|dataset| {
            dataset.as_ref()?.rows.get(picked.row).map(|row| row.pair.clone())
        })
    }

    /// Asks for the dataset that the address names.
    fn fetch(self) {
        let Some((id, _)) = self.address.get() else { return };
        let is_there =
            self.dataset.with_untracked(|it| it.as_ref().is_some_and(|it| it.summary.id == id));
        if is_there {
            return;
        }
        spawn_local(async move {
            if let Ok(dataset) = api::datasets::get(id).await {
                let is_wanted = self.address.try_get_untracked().flatten().map(|it| it.0);
                if is_wanted == Some(id) {
                    self.dataset.set(Some(dataset));
                }
            }
        });
    }
}
