//! The way of changes to the server: a queue, of which one batch is under way at a time.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use weft_shared::api::dataset::{Edited, Edits};

use super::{
    change::Change,
    rows::{FIRST_LOCAL, Key},
};

/// Changes that the server has not confirmed, and what is needed to send them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Saving {
    /// `None` until the server has made the dataset.
    pub(super) dataset: Option<i64>,
    /// Of the dataset, as the server last said it.
    pub(super) revision: u64,
    /// The highest row id that the server ever named: what is above it is news.
    pub(super) highest: i64,
    /// The server's ids of rows that were added here.
    pub(super) ids: HashMap<Key, i64>,
    pub(super) waiting: Vec<Change>,
    /// How many of `waiting`, from the first, are under way; or were, and nobody knows whether they arrived.
    pub(super) sent: usize,
    #[serde(skip)]
    pub(super) state: SaveState,
}

/// How saving goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SaveState {
    /// Nothing waits, or what waits is about to be sent.
    #[default]
    Calm,
    Saving,
    /// No answer; worth trying again.
    Unreachable,
    /// The server's words; trying the same again is in vain.
    Refused {
        gone: bool,
        detail: String,
    },
}

/// What is to be asked of the server next.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Make the dataset, empty.
    Create,
    Edit {
        dataset: i64,
        edits: Edits,
    },
}

impl Saving {
    pub(super) fn of(dataset: i64, revision: u64, highest: i64) -> Self {
        Self { dataset: Some(dataset), revision, highest, ..Self::default() }
    }

    pub fn state(&self) -> &SaveState {
        &self.state
    }

    /// How many changes the server has not confirmed.
    pub fn unsaved(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn id_of(&self, key: Key) -> Option<i64> {
        if key < FIRST_LOCAL { Some(key) } else { self.ids.get(&key).copied() }
    }

    /// Queues a change. One that undoes or goes on with the newest unsent one is made one with it.
    pub(super) fn push(&mut self, change: Change) {
        if self.waiting.len() > self.sent
            && let Some(newest) = self.waiting.last_mut()
        {
            if *newest == change.inverse() {
                self.waiting.pop();
                self.calm_if_done();
                return;
            }
            if is_edit_of_same_row(newest, &change) {
                newest.after = change.after;
                return;
            }
        }
        self.waiting.push(change);
    }

    /// The next batch, unless one is under way. A batch whose answer was lost is sent again as it was: the server
    /// tells by its revision whether it has it.
    pub(super) fn next(&mut self) -> Option<Request> {
        if self.state == SaveState::Saving || self.waiting.is_empty() {
            return None;
        }
        let Some(dataset) = self.dataset else {
            self.state = SaveState::Saving;
            return Some(Request::Create);
        };
        let most = if self.sent > 0 { self.sent } else { self.waiting.len() };
        let mut edits = Vec::new();
        let mut sent = 0;
        for change in &self.waiting[..most] {
            // The rest waits for ids that this batch brings.
            let Some(more) = change.edits(|key| self.id_of(key)) else { break };
            edits.extend(more);
            sent += 1;
        }
        self.sent = sent;
        self.state = SaveState::Saving;
        let edits = Edits { revision: self.revision, edits };
        Some(Request::Edit { dataset, edits })
    }

    pub(super) fn created(&mut self, dataset: i64, revision: u64) {
        self.dataset = Some(dataset);
        self.revision = revision;
        self.state = SaveState::Calm;
    }

    pub(super) fn confirmed(&mut self, edited: &Edited) {
        let mut added = edited.added.iter();
        let changes: Vec<Change> = self.waiting.drain(..self.sent).collect();
        for row in changes.iter().flat_map(|change| &change.after) {
            if self.id_of(row.key).is_none()
                && let Some(&id) = added.next()
            {
                self.ids.insert(row.key, id);
                self.highest = self.highest.max(id);
            }
        }
        self.sent = 0;
        self.revision = edited.revision;
        self.state = SaveState::Calm;
    }

    /// No answer came. What was sent may have arrived.
    pub(super) fn unanswered(&mut self) {
        self.state = SaveState::Unreachable;
    }

    /// The server will not have it, and has done nothing of it.
    pub(super) fn refused(&mut self, gone: bool, detail: String) {
        self.sent = 0;
        self.state = SaveState::Refused { gone, detail };
    }

    fn calm_if_done(&mut self) {
        if self.waiting.is_empty() && self.state != SaveState::Saving {
            self.state = SaveState::Calm;
        }
    }
}

fn is_edit_of_same_row(earlier: &Change, later: &Change) -> bool {
    earlier.before.len() == 1 && later.before.len() == 1 && earlier.after == later.before
}

#[cfg(test)]
mod tests {
    use weft_shared::{api::dataset::RowEdit, pair::Pair};

    use super::{super::rows::Row, *};

    fn row(key: Key, question: &str) -> Row {
        Row::new(key, Pair::new(question, "a"))
    }

    fn add(key: Key) -> Change {
        Change::add(vec![row(key, "new")])
    }

    fn edit(key: Key, from: &str, to: &str) -> Change {
        Change::edit(row(key, from), row(key, to))
    }

    fn batch(request: Option<Request>) -> Vec<RowEdit> {
        match request {
            Some(Request::Edit { edits, .. }) => edits.edits,
            other => panic!("no edits: {other:?}"),
        }
    }

    fn edited(revision: u64, added: &[i64]) -> Edited {
        Edited { revision, pairs: 0, added: added.to_vec() }
    }

    #[test]
    fn one_batch_is_under_way_and_the_rest_waits_for_it() {
        let mut saving = Saving::of(9, 4, 2);
        saving.push(edit(1, "a", "b"));
        saving.push(edit(2, "c", "d"));

        assert_eq!(batch(saving.next()).len(), 2);
        saving.push(edit(1, "b", "e"));
        assert_eq!(saving.next(), None);

        saving.confirmed(&edited(5, &[]));
        let Some(Request::Edit { dataset: 9, edits }) = saving.next() else { panic!("no edits") };
        assert_eq!(edits.revision, 5);
        assert_eq!(edits.edits.len(), 1);
    }

    #[test]
    fn an_edit_of_a_new_row_waits_for_its_id() {
        let mut saving = Saving::of(9, 0, 0);
        saving.push(add(FIRST_LOCAL));
        saving.next();
        saving.push(edit(FIRST_LOCAL, "new", "better"));

        saving.confirmed(&edited(1, &[17]));

        let wanted = RowEdit::Update { id: 17, pair: Pair::new("better", "a") };
        assert_eq!(batch(saving.next()), [wanted]);
    }

    #[test]
    fn undoing_what_was_not_sent_sends_nothing() {
        let mut saving = Saving::of(9, 0, 0);
        saving.push(add(FIRST_LOCAL));

        saving.push(add(FIRST_LOCAL).inverse());

        assert_eq!(saving.next(), None);
        assert_eq!(saving.unsaved(), 0);
    }

    #[test]
    fn what_the_server_knew_once_is_restored_when_it_is_done_again() {
        let mut saving = Saving::of(9, 0, 0);
        saving.push(add(FIRST_LOCAL));
        saving.next();
        saving.confirmed(&edited(1, &[3]));
        saving.push(add(FIRST_LOCAL).inverse());
        assert_eq!(batch(saving.next()), [RowEdit::Delete { ids: vec![3] }]);
        saving.confirmed(&edited(2, &[]));

        saving.push(add(FIRST_LOCAL));

        assert!(
            matches!(&batch(saving.next())[..], [RowEdit::Restore { rows }] if rows[0].id == 3)
        );
    }

    #[test]
    fn a_batch_without_an_answer_is_sent_again_as_it_was() {
        let mut saving = Saving::of(9, 0, 5);
        saving.push(edit(1, "a", "b"));
        let first = saving.next();
        saving.push(edit(2, "c", "d"));

        saving.unanswered();

        assert_eq!(saving.state(), &SaveState::Unreachable);
        assert_eq!(saving.next(), first);
    }

    #[test]
    fn what_was_refused_can_be_undone_out_of_the_way() {
        let mut saving = Saving::of(9, 0, 5);
        saving.push(edit(1, "a", "much too long"));
        saving.next();
        saving.refused(false, "too long".into());

        saving.push(edit(1, "much too long", "a"));

        assert_eq!((saving.unsaved(), saving.state()), (0, &SaveState::Calm));
    }

    #[test]
    fn the_dataset_is_made_before_anything_is_put_into_it() {
        let mut saving = Saving::default();
        saving.push(add(FIRST_LOCAL));

        assert_eq!(saving.next(), Some(Request::Create));
        assert_eq!(saving.next(), None);
        saving.created(12, 0);

        assert!(matches!(saving.next(), Some(Request::Edit { dataset: 12, .. })));
    }

    #[test]
    fn it_is_kept_as_json() {
        let mut saving = Saving::of(9, 4, 2);
        saving.push(add(FIRST_LOCAL));
        saving.ids.insert(FIRST_LOCAL + 1, 8);

        let json = serde_json::to_string(&saving).unwrap();

        assert_eq!(serde_json::from_str::<Saving>(&json).unwrap(), saving);
    }
}
