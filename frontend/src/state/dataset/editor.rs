//! The dataset that is open: rows, history and the way to the server in one.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};
use weft_shared::{
    api::dataset::{Dataset, Edited, Row as WireRow},
    pair::Pair,
};

use super::{
    change::Change,
    history::History,
    rebase::rebase,
    rows::{FIRST_LOCAL, Key, Row, Rows},
    saving::{Request, Saving},
};

/// What a person works on; without a dataset on the server until the first pair is added.
#[derive(Clone, Debug, PartialEq)]
pub struct Editor {
    name: String,
    rows: Rows,
    history: History,
    saving: Saving,
    next_key: Key,
    edition: u64,
}

/// What the browser keeps until the server has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unsaved {
    name: String,
    saving: Saving,
    next_key: Key,
}

/// What loading a dataset again did to the work on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reloaded {
    /// Edits that became new rows, because somebody else had edited theirs.
    pub copies: usize,
    /// The keys that rows had before, where they have others now.
    pub renamed: HashMap<Key, Key>,
}

impl Default for Editor {
    fn default() -> Self {
        Self::new(String::new())
    }
}

impl Editor {
    /// Nothing yet, under the name that the dataset will get.
    pub fn new(name: String) -> Self {
        Self {
            name,
            rows: Rows::default(),
            history: History::default(),
            saving: Saving::default(),
            next_key: FIRST_LOCAL,
            edition: 0,
        }
    }

    /// A dataset as the server has it, with what it has not got yet.
    pub fn open(dataset: Dataset, unsaved: Option<Unsaved>) -> (Self, Reloaded) {
        let mut editor = match unsaved {
            Some(Unsaved { name, saving, next_key }) => {
                Self { saving, next_key, ..Self::new(name) }
            }
            None => Self::default(),
        };
        let reloaded = editor.load(dataset);
        (editor, reloaded)
    }

    /// Pairs that never reached a server, which has no dataset for them.
    pub fn unopened(unsaved: Unsaved) -> Self {
        let Unsaved { name, saving, next_key } = unsaved;
        let mut rows = Rows::default();
        saving.waiting.iter().for_each(|change| change.apply(&mut rows));
        Self { rows, saving, next_key, ..Self::new(name) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn rename(&mut self, name: String) {
        self.name = name;
    }

    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Counts up with every change of the rows.
    pub fn edition(&self) -> u64 {
        self.edition
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    pub fn saving(&self) -> &Saving {
        &self.saving
    }

    /// Of the dataset on the server.
    pub fn id(&self) -> Option<i64> {
        self.saving.dataset
    }

    /// What the server calls a row.
    pub fn row_id(&self, key: Key) -> Option<i64> {
        self.saving.id_of(key)
    }

    /// The row that the server calls so.
    pub fn key_of(&self, id: i64) -> Key {
        let local = self.saving.ids.iter().find(|(_, known)| **known == id);
        local.map_or(id, |(&key, _)| key)
    }

    /// Adds pairs at the end and returns the first one's key.
    pub fn add(&mut self, pairs: Vec<Pair>) -> Option<Key> {
        let first = self.next_key;
        let rows: Vec<Row> =
            pairs.into_iter().zip(first..).map(|(pair, key)| Row::new(key, pair)).collect();
        self.next_key = rows.last().map_or(first, |row| row.key + 1);
        self.change(Change::add(rows)).then_some(first)
    }

    /// Puts another pair in the place of a row's, where it is another.
    pub fn update(&mut self, key: Key, pair: Pair) -> bool {
        let Some(before) = self.rows.get(key) else { return false };
        let (before, after) = (before.clone(), Row::new(key, Arc::new(pair)));
        !before.has_pair_of(&after) && self.change(Change::edit(before, after))
    }

    pub fn delete(&mut self, keys: &[Key]) -> bool {
        let rows = keys.iter().filter_map(|key| self.rows.get(*key).cloned()).collect();
        self.change(Change::delete(rows))
    }

    /// What would make the rows those of a version.
    pub fn change_to(&self, version: Vec<WireRow>) -> Change {
        let local: HashMap<i64, Key> =
            self.saving.ids.iter().map(|(&key, &id)| (id, key)).collect();
        let key = |id: i64| local.get(&id).copied().unwrap_or(id);
        let row = |row: WireRow| Row::new(key(row.id), row.pair);
        Change::between(&self.rows, &version.into_iter().map(row).collect())
    }

    pub fn change(&mut self, change: Change) -> bool {
        if change.is_empty() {
            return false;
        }
        self.history.push(change.clone());
        self.take(change);
        true
    }

    pub fn undo(&mut self) -> bool {
        let change = self.history.undo();
        change.map(|change| self.take(change)).is_some()
    }

    pub fn redo(&mut self) -> bool {
        let change = self.history.redo();
        change.map(|change| self.take(change)).is_some()
    }

    fn take(&mut self, change: Change) {
        change.apply(&mut self.rows);
        self.edition += 1;
        self.saving.push(change);
    }

    /// What to ask the server next; `None` where nothing waits or a request is under way.
    pub fn next_request(&mut self) -> Option<Request> {
        self.saving.next()
    }

    pub fn created(&mut self, dataset: i64, revision: u64) {
        self.saving.created(dataset, revision);
    }

    pub fn confirmed(&mut self, edited: &Edited) {
        self.saving.confirmed(edited);
    }

    pub fn unanswered(&mut self) {
        self.saving.unanswered();
    }

    /// `gone`: there is no such dataset any more.
    pub fn refused(&mut self, gone: bool, detail: String) {
        self.saving.refused(gone, detail);
    }

    /// The server's rows in the place of those here; what is unsaved is made on them. Where somebody else changed
    /// something, what was done before cannot be undone any more.
    pub fn reload(&mut self, dataset: Dataset) -> Reloaded {
        let is_known = self.saving.dataset == Some(dataset.summary.id)
            && self.saving.revision == dataset.summary.revision
            && self.saving.sent == 0;
        if is_known {
            self.name = dataset.summary.name;
            return Reloaded::default();
        }
        self.load(dataset)
    }

    fn load(&mut self, dataset: Dataset) -> Reloaded {
        self.name.clone_from(&dataset.summary.name);
        let rebased = rebase(&self.saving, dataset, &mut self.next_key);
        self.rows = rebased.rows;
        self.edition += 1;
        self.saving = rebased.saving;
        self.history = History::default();
        Reloaded { copies: rebased.copies, renamed: rebased.renamed }
    }

    /// The same rows as a dataset that the server does not have yet.
    pub fn start_over(&mut self) {
        let rows: Vec<Row> =
            self.rows.iter().zip(self.next_key..).map(|(row, key)| row.under(key)).collect();
        let next_key = rows.last().map_or(self.next_key, |row| row.key + 1);
        let name = std::mem::take(&mut self.name);
        *self = Self { next_key, edition: self.edition, ..Self::new(name) };
        self.take(Change::add(rows));
    }

    /// What the browser has to keep; `None` where the server has everything.
    pub fn unsaved(&self) -> Option<Unsaved> {
        if self.saving.unsaved() == 0 {
            return None;
        }
        let (name, saving) = (self.name.clone(), self.saving.clone());
        Some(Unsaved { name, saving, next_key: self.next_key })
    }
}

#[cfg(test)]
mod tests;
