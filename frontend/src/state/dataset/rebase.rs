//! Changes that were made on one state of a dataset, made on another.
//!
//! Needed where somebody else changed the dataset meanwhile, and where nobody knows whether a batch arrived: after a
//! reload, or after an answer that got lost. Nobody's text is written over and no text is lost: an edit of a row
//! that somebody else edited becomes a new row.

use std::collections::HashMap;

use weft_shared::api::dataset::Dataset;

use super::{
    change::Change,
    rows::{Key, Row, Rows},
    saving::Saving,
};

/// What there is to do on the other state.
#[derive(Debug)]
pub(super) struct Rebased {
    /// The server's rows with the changes made.
    pub(super) rows: Rows,
    pub(super) saving: Saving,
    /// Edits that became new rows.
    pub(super) copies: usize,
    /// The keys that rows had before, where they have others now.
    pub(super) renamed: HashMap<Key, Key>,
}

/// Makes what `saving` still has to save on `server`. New keys are taken from `next_key`.
pub(super) fn rebase(saving: &Saving, server: Dataset, next_key: &mut Key) -> Rebased {
    let base: Rows = server.rows.into_iter().map(Row::from).collect();
    let mut renamed: HashMap<Key, Key> = saving.ids.iter().map(|(&key, &id)| (key, id)).collect();
    renamed.extend(arrived(saving, &base));

    let highest = base.iter().map(|row| row.key).max().unwrap_or(0).max(saving.highest);
    let mut fresh = Saving::of(server.summary.id, server.summary.revision, highest);
    let mut rows = base;
    let mut copies = 0;
    for change in &saving.waiting {
        let change = remade(change, &rows, &mut renamed, &mut copies, next_key);
        if !change.is_empty() {
            change.apply(&mut rows);
            fresh.push(change);
        }
    }
    Rebased { rows, saving: fresh, copies, renamed }
}

/// The ids of added rows whose batch was sent and arrived: all of them stand, in their order, among the server's news.
fn arrived(saving: &Saving, base: &Rows) -> HashMap<Key, Key> {
    let sent = saving.waiting[..saving.sent].iter().flat_map(|change| &change.after);
    let mut news = base.iter().filter(|row| row.key > saving.highest);
    let mut ids = HashMap::new();
    for row in sent.filter(|row| saving.id_of(row.key).is_none()) {
        match news.find(|new| new.has_pair_of(row)) {
            Some(new) => drop(ids.insert(row.key, new.key)),
            None => return HashMap::new(),
        }
    }
    ids
}

/// What is left to do of `change` on `rows`.
fn remade(
    change: &Change,
    rows: &Rows,
    renamed: &mut HashMap<Key, Key>,
    copies: &mut usize,
    next_key: &mut Key,
) -> Change {
    let mut leaving: HashMap<Key, &Row> = change.before.iter().map(|row| (row.key, row)).collect();
    let mut left = Change::default();
    for after in &change.after {
        let before = leaving.remove(&after.key);
        let key = renamed.get(&after.key).copied().unwrap_or(after.key);
        match (before, rows.get(key)) {
            (_, Some(found)) if found.has_pair_of(after) => {}
            (Some(before), Some(found)) if found.has_pair_of(before) => {
                left.before.push(found.clone());
                left.after.push(after.under(key));
            }
            (None, None) => left.after.push(after.under(key)),
            // Somebody else edited or deleted the row.
            (Some(_), _) | (None, Some(_)) => {
                *copies += 1;
                renamed.insert(after.key, *next_key);
                left.after.push(after.under(*next_key));
                *next_key += 1;
            }
        }
    }
    for before in change.before.iter().filter(|row| leaving.contains_key(&row.key)) {
        let key = renamed.get(&before.key).copied().unwrap_or(before.key);
        if let Some(found) = rows.get(key).filter(|found| found.has_pair_of(before)) {
            left.before.push(found.clone());
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use weft_shared::{
        api::dataset::{DatasetSummary, Row as WireRow},
        pair::Pair,
    };

    use super::{super::rows::FIRST_LOCAL, *};

    const NEXT: Key = FIRST_LOCAL + 100;

    fn row(key: Key, question: &str) -> Row {
        Row::new(key, Pair::new(question, "a"))
    }

    fn server(revision: u64, rows: &[(i64, &str)]) -> Dataset {
        let row = |&(id, question): &(i64, &str)| WireRow { id, pair: Pair::new(question, "a") };
        let summary = DatasetSummary {
            id: 9,
            name: "mine".into(),
            pairs: rows.len(),
            revision,
            updated_ms: 0,
        };
        Dataset { summary, rows: rows.iter().map(row).collect() }
    }

    fn saving(changes: Vec<Change>, sent: usize) -> Saving {
        Saving { waiting: changes, sent, ..Saving::of(9, 4, 2) }
    }

    fn questions(rows: &Rows) -> Vec<(Key, &str)> {
        rows.iter().map(|row| (row.key, row.pair.question.as_str())).collect()
    }

    fn rebased(saving: &Saving, server: Dataset) -> Rebased {
        rebase(saving, server, &mut { NEXT })
    }

    #[test]
    fn on_the_same_state_everything_is_still_to_do() {
        let changes = vec![
            Change::edit(row(1, "a"), row(1, "A")),
            Change::add(vec![row(FIRST_LOCAL, "new")]),
        ];

        let rebased = rebased(&saving(changes.clone(), 2), server(4, &[(1, "a"), (2, "b")]));

        assert_eq!(rebased.saving.waiting, changes);
        assert_eq!(questions(&rebased.rows), [(1, "A"), (2, "b"), (FIRST_LOCAL, "new")]);
    }

    #[test]
    fn a_batch_that_arrived_is_not_done_twice() {
        let changes = vec![
            Change::add(vec![row(FIRST_LOCAL, "new")]),
            Change::edit(row(1, "a"), row(1, "A")),
            Change::edit(row(FIRST_LOCAL, "new"), row(FIRST_LOCAL, "newer")),
        ];

        let rebased = rebased(&saving(changes, 2), server(5, &[(1, "A"), (2, "b"), (3, "new")]));

        let left = Change::edit(row(3, "new"), row(3, "newer"));
        assert_eq!(rebased.saving.waiting, [left]);
        assert_eq!(rebased.saving.revision, 5);
        assert_eq!(rebased.renamed.get(&FIRST_LOCAL), Some(&3));
    }

    #[test]
    fn an_equal_pair_of_somebody_else_is_not_taken_for_one_that_was_never_sent() {
        let changes = vec![Change::add(vec![row(FIRST_LOCAL, "new")])];

        let rebased = rebased(&saving(changes, 0), server(5, &[(3, "new")]));

        assert_eq!(questions(&rebased.rows), [(3, "new"), (FIRST_LOCAL, "new")]);
    }

    #[test]
    fn an_edit_of_what_somebody_else_edited_becomes_a_new_row() {
        let changes = vec![
            Change::edit(row(1, "a"), row(1, "mine")),
            Change::edit(row(1, "mine"), row(1, "mine, better")),
            Change::delete(vec![row(2, "b")]),
        ];

        let rebased = rebased(&saving(changes, 0), server(5, &[(1, "theirs"), (2, "theirs")]));

        assert_eq!(
            questions(&rebased.rows),
            [(1, "theirs"), (2, "theirs"), (NEXT, "mine, better")]
        );
        assert_eq!(rebased.copies, 1);
    }

    #[test]
    fn what_is_deleted_already_needs_no_deleting() {
        let changes = vec![Change::delete(vec![row(1, "a")])];

        let rebased = rebased(&saving(changes, 1), server(5, &[(2, "b")]));

        assert_eq!(rebased.saving.unsaved(), 0);
        assert_eq!(questions(&rebased.rows), [(2, "b")]);
    }
}
