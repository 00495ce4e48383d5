//! What was done, to undo it and to do it again.

use super::change::Change;

/// More than anybody undoes by hand.
const KEPT: usize = 500;

/// Two stacks of changes, the newest last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    done: Vec<Change>,
    undone: Vec<Change>,
}

impl History {
    /// Something new was done: what was undone before cannot be done again.
    pub(super) fn push(&mut self, change: Change) {
        self.undone.clear();
        if self.done.len() == KEPT {
            self.done.remove(0);
        }
        self.done.push(change);
    }

    /// What undoes the newest change.
    pub(super) fn undo(&mut self) -> Option<Change> {
        let change = self.done.pop()?;
        let inverse = change.inverse();
        self.undone.push(change);
        Some(inverse)
    }

    /// What was undone last, to be done again.
    pub(super) fn redo(&mut self) -> Option<Change> {
        let change = self.undone.pop()?;
        self.done.push(change.clone());
        Some(change)
    }

    /// Whether there is something to undo, and something to do again.
    pub fn reach(&self) -> (bool, bool) {
        (!self.done.is_empty(), !self.undone.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::pair::Pair;

    use super::{super::rows::Row, *};

    fn change(key: i64) -> Change {
        Change::add(vec![Row::new(key, Pair::new("q", "a"))])
    }

    #[test]
    fn changes_are_undone_newest_first_and_done_again_in_their_order() {
        let mut history = History::default();
        history.push(change(1));
        history.push(change(2));

        assert_eq!(history.undo(), Some(change(2).inverse()));
        assert_eq!(history.undo(), Some(change(1).inverse()));
        assert_eq!(history.undo(), None);
        assert_eq!(history.redo(), Some(change(1)));
        assert_eq!(history.redo(), Some(change(2)));
        assert_eq!(history.redo(), None);
    }

    #[test]
    fn something_new_ends_what_could_be_done_again() {
        let mut history = History::default();
        history.push(change(1));
        history.undo();

        history.push(change(2));

        assert_eq!(history.reach(), (true, false));
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut history = History::default();
        for key in 0..=KEPT as i64 {
            history.push(change(key));
        }

        let undone = std::iter::from_fn(|| history.undo()).count();

        assert_eq!(undone, KEPT);
    }
}
