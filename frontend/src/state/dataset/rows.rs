//! Rows in their order.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use weft_shared::{api::dataset as wire, pair::Pair};

/// What a row is called in the page; rows are in the order of their keys.
///
/// A row that came from the server has its id there for a key. One that was added here has a key from [`FIRST_LOCAL`]
/// on, and keeps it when the server gives it an id: what is typed into it goes on undisturbed.
pub type Key = i64;

/// Greater than any id of the server, so that new rows come last.
pub const FIRST_LOCAL: Key = 1 << 52;

/// A pair with its key. Copies share the text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "wire::Row", into = "wire::Row")]
pub struct Row {
    pub key: Key,
    pub pair: Arc<Pair>,
    content: u64,
}

impl Row {
    pub fn new(key: Key, pair: impl Into<Arc<Pair>>) -> Self {
        let pair = pair.into();
        let mut hasher = DefaultHasher::new();
        pair.hash(&mut hasher);
        Self { key, pair, content: hasher.finish() }
    }

    /// The same pair under another key.
    #[must_use]
    pub fn under(&self, key: Key) -> Self {
        Self { key, ..self.clone() }
    }

    /// Equal pairs have the same; other pairs, as good as never.
    pub fn content(&self) -> u64 {
        self.content
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.has_pair_of(other)
    }
}

impl Row {
    /// Whether the pairs are equal, whatever the keys.
    pub fn has_pair_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pair, &other.pair)
            || (self.content == other.content && self.pair == other.pair)
    }
}

impl From<wire::Row> for Row {
    fn from(row: wire::Row) -> Self {
        Self::new(row.id, row.pair)
    }
}

impl From<Row> for wire::Row {
    fn from(row: Row) -> Self {
        Self { id: row.key, pair: Arc::unwrap_or_clone(row.pair) }
    }
}

/// The rows of a dataset, each key once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    rows: Vec<Row>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.rows.iter()
    }

    pub fn get(&self, key: Key) -> Option<&Row> {
        self.position(key).map(|at| &self.rows[at])
    }

    /// How many rows are before the one of this key.
    pub fn position(&self, key: Key) -> Option<usize> {
        self.rows.binary_search_by_key(&key, |row| row.key).ok()
    }

    /// The row at a place.
    pub fn at(&self, place: usize) -> Option<&Row> {
        self.rows.get(place)
    }

    /// Takes out the rows of `before` and puts in those of `after`.
    pub(super) fn exchange(&mut self, before: &[Row], after: &[Row]) {
        let mut gone: Vec<Key> = before.iter().chain(after).map(|row| row.key).collect();
        gone.sort_unstable();
        self.rows.retain(|row| gone.binary_search(&row.key).is_err());
        self.rows.extend(after.iter().cloned());
        // Two sorted runs most often, which takes one pass.
        self.rows.sort_by_key(|row| row.key);
    }
}

impl FromIterator<Row> for Rows {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let mut rows: Vec<Row> = rows.into_iter().collect();
        rows.sort_by_key(|row| row.key);
        Self { rows }
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Row;
    type IntoIter = std::slice::Iter<'a, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: Key, question: &str) -> Row {
        Row::new(key, Pair::new(question, "a"))
    }

    #[test]
    fn rows_stay_in_the_order_of_their_keys() {
        let mut rows: Rows = [row(3, "c"), row(1, "a")].into_iter().collect();

        rows.exchange(&[row(3, "c")], &[row(FIRST_LOCAL, "new"), row(2, "b")]);

        let keys: Vec<Key> = rows.iter().map(|row| row.key).collect();
        assert_eq!(keys, [1, 2, FIRST_LOCAL]);
        assert_eq!(rows.position(2), Some(1));
        assert_eq!(rows.get(3), None);
    }

    #[test]
    fn equal_pairs_have_equal_content() {
        assert_eq!(row(1, "a").content(), row(2, "a").content());
        assert_ne!(row(1, "a").content(), row(1, "b").content());
        assert!(row(1, "a").has_pair_of(&row(2, "a")));
    }

    #[test]
    fn a_row_is_kept_as_the_wire_has_it() {
        let json = serde_json::to_string(&row(7, "q")).unwrap();

        assert_eq!(json, r#"{"id":7,"pair":{"question":"q","answer":"a"}}"#);
        assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row(7, "q"));
    }
}
