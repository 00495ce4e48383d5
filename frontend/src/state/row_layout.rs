//! Where the rows of a long list are, and which of them can be seen.
//!
//! All rows are equally high, but for one that may be open.

use std::ops::Range;

/// Rows beyond the edges that are made too, so that scrolling shows no gaps.
const BEYOND: usize = 6;

/// Heights in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowLayout {
    pub count: usize,
    pub row_height: f64,
    /// The place and the height of the open row.
    pub open: Option<(usize, f64)>,
}

impl RowLayout {
    pub fn height(&self) -> f64 {
        self.top(self.count)
    }

    /// How far a row is from the start of the list.
    pub fn top(&self, place: usize) -> f64 {
        place as f64 * self.row_height + self.more_before(place)
    }

    pub fn row_height(&self, place: usize) -> f64 {
        match self.open {
            Some((open, height)) if open == place => height,
            _ => self.row_height,
        }
    }

    /// The rows between two heights, and some beyond.
    pub fn seen(&self, from: f64, to: f64) -> Range<usize> {
        let start = self.place_at(from).saturating_sub(BEYOND);
        let end = (self.place_at(to) + 1 + BEYOND).min(self.count);
        start.min(end)..end
    }

    /// Where to scroll to show a row, from a window of rows between two heights; nowhere if it is in there.
    pub fn scroll_to(&self, place: usize, from: f64, to: f64) -> Option<f64> {
        let (top, height) = (self.top(place), self.row_height(place));
        if top < from || height > to - from {
            Some(top)
        } else if top + height > to {
            Some(top + height - (to - from))
        } else {
            None
        }
    }

    /// What the open row adds to the rows after it.
    fn more_before(&self, place: usize) -> f64 {
        match self.open {
            Some((open, height)) if open < place => height - self.row_height,
            _ => 0.0,
        }
    }

    /// The row at a height.
    fn place_at(&self, height: f64) -> usize {
        let place = |height: f64| {
            // A list has no more rows than this.
            u32::try_from((height.max(0.0) / self.row_height.max(1.0)) as i64).unwrap_or(u32::MAX)
                as usize
        };
        match self.open {
            Some((open, open_height)) if height >= self.top(open) => {
                let beyond = height - self.top(open) - open_height;
                if beyond < 0.0 { open } else { open + 1 + place(beyond) }
            }
            _ => place(height),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: RowLayout = RowLayout { count: 10_000, row_height: 50.0, open: None };
    const OPEN: RowLayout = RowLayout { open: Some((2, 200.0)), ..CLOSED };

    #[test]
    fn only_some_of_many_rows_are_seen() {
        assert_eq!(CLOSED.seen(0.0, 500.0), 0..17);
        assert_eq!(CLOSED.seen(5000.0, 5500.0), 94..117);
        assert_eq!(CLOSED.seen(499_900.0, 500_400.0).end, 10_000);
        assert_eq!(RowLayout { count: 0, ..CLOSED }.seen(0.0, 500.0), 0..0);
    }

    #[test]
    fn an_open_row_moves_those_after_it() {
        assert_eq!(OPEN.top(2), 100.0);
        assert_eq!(OPEN.top(3), 300.0);
        assert_eq!(OPEN.height(), CLOSED.height() + 150.0);
        assert_eq!(OPEN.place_at(299.0), 2);
        assert_eq!(OPEN.place_at(300.0), 3);
        assert_eq!(OPEN.place_at(99.0), 1);
    }

    #[test]
    fn a_row_is_scrolled_to_where_it_is_not_seen() {
        assert_eq!(CLOSED.scroll_to(3, 0.0, 500.0), None);
        assert_eq!(CLOSED.scroll_to(10, 0.0, 500.0), Some(50.0));
        assert_eq!(CLOSED.scroll_to(1, 100.0, 600.0), Some(50.0));
        assert_eq!(OPEN.scroll_to(2, 0.0, 150.0), Some(100.0));
    }
}
