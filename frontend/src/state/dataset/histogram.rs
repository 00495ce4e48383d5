//! How the lengths of many texts are spread.

use std::ops::RangeInclusive;

/// Bars that can still be told apart and pressed.
const MOST_BARS: usize = 16;

/// Bars of equal width, in tokens; the last one holds the few that are much longer than the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    pub bars: Vec<Bar>,
    /// Where the limit is, in bars from the left; `None` where nothing is near it.
    pub limit: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The last bar's has no end.
    pub tokens: RangeInclusive<usize>,
    pub count: usize,
}

impl Histogram {
    /// Of lengths in any order.
    pub fn of(mut lengths: Vec<usize>, limit: usize) -> Self {
        if lengths.is_empty() {
            return Self::default();
        }
        lengths.sort_unstable();
        let common = lengths[(lengths.len() * 99).div_ceil(100) - 1];
        let width = width(common + 1);
        let count = common / width + 1;
        let mut bars: Vec<Bar> = (0..count)
            .map(|bar| Bar { tokens: bar * width..=(bar + 1) * width - 1, count: 0 })
            .collect();
        for length in lengths {
            bars[(length / width).min(count - 1)].count += 1;
        }
        if let Some(last) = bars.last_mut() {
            last.tokens = *last.tokens.start()..=usize::MAX;
        }
        // What has exactly as many tokens as allowed is left of the line.
        let at = (limit + 1) as f64 / width as f64;
        Self { bars, limit: (at <= count as f64).then_some(at) }
    }

    /// Of the tallest bar.
    pub fn most(&self) -> usize {
        self.bars.iter().map(|bar| bar.count).max().unwrap_or(0)
    }
}

/// A round width, with which few enough bars hold lengths below `end`.
fn width(end: usize) -> usize {
    let mut unit = 1;
    loop {
        for step in [1, 2, 5] {
            if end.div_ceil(unit * step) <= MOST_BARS {
                return unit * step;
            }
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(lengths: Vec<usize>) -> Vec<(usize, usize)> {
        let histogram = Histogram::of(lengths, 500);
        histogram.bars.iter().map(|bar| (*bar.tokens.start(), bar.count)).collect()
    }

    #[test]
    fn bars_have_a_round_width() {
        assert_eq!(bars(vec![3, 0, 3]), [(0, 1), (1, 0), (2, 0), (3, 2)]);
        assert_eq!(bars(vec![40, 41]).first(), Some(&(0, 0)));
        assert_eq!(bars(vec![40, 41]).last(), Some(&(40, 2)));
        assert_eq!([width(1), width(17), width(33), width(81), width(161)], [1, 2, 5, 10, 20]);
    }

    #[test]
    fn a_single_long_text_does_not_flatten_the_rest() {
        let mut lengths = vec![10; 200];
        lengths.push(5000);

        let histogram = Histogram::of(lengths, 500);

        let last = histogram.bars.last().unwrap();
        assert_eq!((last.tokens.clone(), last.count), (10..=usize::MAX, 201));
    }

    #[test]
    fn the_limit_stands_behind_what_it_allows() {
        assert_eq!(Histogram::of(vec![9], 4).limit, Some(5.0));
        assert_eq!(Histogram::of(vec![9], 500).limit, None);
        assert_eq!(Histogram::of(vec![], 4), Histogram::default());
    }
}
