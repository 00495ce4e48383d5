//! One change: some rows as they were, and as they are afterwards.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use weft_shared::api::dataset::{Row as WireRow, RowEdit};

use super::rows::{Key, Row, Rows};

/// Rows that are only in `before` are deleted, those only in `after` are new (or back), those in both are edited.
/// The inverse has the two exchanged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub before: Vec<Row>,
    pub after: Vec<Row>,
}

/// How many rows a change touches, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub added: usize,
    pub deleted: usize,
    pub edited: usize,
}

impl Change {
    pub fn add(rows: Vec<Row>) -> Self {
        Self { before: Vec::new(), after: rows }
    }

    pub fn delete(rows: Vec<Row>) -> Self {
        Self { before: rows, after: Vec::new() }
    }

    pub fn edit(before: Row, after: Row) -> Self {
        Self { before: vec![before], after: vec![after] }
    }

    /// What makes `to` of `from`.
    pub fn between(from: &Rows, to: &Rows) -> Self {
        let missing = |rows: &Rows, others: &Rows| {
            let differs = |row: &&Row| others.get(row.key) != Some(*row);
            rows.iter().filter(differs).cloned().collect()
        };
        Self { before: missing(from, to), after: missing(to, from) }
    }

    /// What undoes it.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { before: self.after.clone(), after: self.before.clone() }
    }

    pub fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    pub fn apply(&self, rows: &mut Rows) {
        rows.exchange(&self.before, &self.after);
    }

    pub fn extent(&self) -> Extent {
        let before: HashSet<Key> = self.before.iter().map(|row| row.key).collect();
        let edited = self.after.iter().filter(|row| before.contains(&row.key)).count();
        Extent { added: self.after.len() - edited, deleted: self.before.len() - edited, edited }
    }

    /// The edits that do it on the server, where `id_of` knows a row's id there. New rows are added in their order.
    /// `None` while the server has not said the id of a row that is to be edited or deleted.
    pub(super) fn edits(&self, id_of: impl Fn(Key) -> Option<i64>) -> Option<Vec<RowEdit>> {
        let mut leaving: HashMap<Key, i64> = HashMap::new();
        for row in &self.before {
            leaving.insert(row.key, id_of(row.key)?);
        }
        let (mut updates, mut restored, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        for row in &self.after {
            let pair = (*row.pair).clone();
            match (leaving.remove(&row.key), id_of(row.key)) {
                (Some(id), _) => updates.push(RowEdit::Update { id, pair }),
                (None, Some(id)) => restored.push(WireRow { id, pair }),
                (None, None) => pairs.push(pair),
            }
        }
        let mut ids: Vec<i64> = leaving.into_values().collect();
        ids.sort_unstable();

        let mut edits = updates;
        let optional = [
            (!ids.is_empty()).then_some(RowEdit::Delete { ids }),
            (!restored.is_empty()).then_some(RowEdit::Restore { rows: restored }),
            (!pairs.is_empty()).then_some(RowEdit::Add { pairs }),
        ];
        edits.extend(optional.into_iter().flatten());
        Some(edits)
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::pair::Pair;

    use super::{super::rows::FIRST_LOCAL, *};

    fn row(key: Key, question: &str) -> Row {
        Row::new(key, Pair::new(question, "a"))
    }

    fn rows(of: &[(Key, &str)]) -> Rows {
        of.iter().map(|&(key, question)| row(key, question)).collect()
    }

    #[test]
    fn the_inverse_undoes_adding_deleting_and_editing() {
        let start = rows(&[(1, "a"), (2, "b")]);
        let changes = [
            Change::add(vec![row(FIRST_LOCAL, "c")]),
            Change::delete(vec![row(1, "a")]),
            Change::edit(row(2, "b"), row(2, "b, better")),
        ];
        for change in changes {
            let mut changed = start.clone();

            change.apply(&mut changed);
            assert_ne!(changed, start);
            change.inverse().apply(&mut changed);

            assert_eq!(changed, start);
        }
    }

    #[test]
    fn the_change_between_two_states_leads_from_one_to_the_other() {
        let from = rows(&[(1, "a"), (2, "b"), (3, "c")]);
        let to = rows(&[(1, "a"), (2, "other"), (4, "d")]);

        let change = Change::between(&from, &to);
        let mut changed = from.clone();
        change.apply(&mut changed);

        assert_eq!(changed, to);
        assert_eq!(change.extent(), Extent { added: 1, deleted: 1, edited: 1 });
    }

    #[test]
    fn on_the_wire_a_known_row_is_restored_and_a_new_one_added() {
        let change = Change {
            before: vec![row(1, "a"), row(2, "b")],
            after: vec![row(2, "B"), row(3, "back"), row(FIRST_LOCAL, "new")],
        };

        let edits = change.edits(|key| (key < FIRST_LOCAL).then_some(key)).unwrap();

        assert_eq!(
            edits,
            [
                RowEdit::Update { id: 2, pair: Pair::new("B", "a") },
                RowEdit::Delete { ids: vec![1] },
                RowEdit::Restore { rows: vec![WireRow { id: 3, pair: Pair::new("back", "a") }] },
                RowEdit::Add { pairs: vec![Pair::new("new", "a")] },
            ]
        );
    }

    #[test]
    fn a_row_without_an_id_cannot_be_edited_on_the_server_yet() {
        let change = Change::delete(vec![row(FIRST_LOCAL, "new")]);

        assert_eq!(change.edits(|_| None), None);
    }
}
