//! Fewer points that look the same: of each stretch the lowest and the highest stay, so no spike is lost.

use super::Point;

/// At most `most` of the points (4 or more); the first and the last are among them.
pub fn thinned(points: &[Point], most: usize) -> Vec<Point> {
    if points.len() <= most {
        return points.to_vec();
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let stretches = (most.max(4) - 2) / 2;
    let inner = &points[1..points.len() - 1];
    let mut kept = vec![first];
    for stretch in 0..stretches {
        let from = stretch * inner.len() / stretches;
        let to = (stretch + 1) * inner.len() / stretches;
        keep_extremes(&inner[from..to], &mut kept);
    }
    kept.push(last);
    kept
}

fn keep_extremes(stretch: &[Point], kept: &mut Vec<Point>) {
    let by_value = |&a: &usize, &b: &usize| stretch[a].1.total_cmp(&stretch[b].1);
    let lowest = (0..stretch.len()).min_by(by_value);
    let highest = (0..stretch.len()).max_by(by_value);
    let (Some(lowest), Some(highest)) = (lowest, highest) else { return };
    kept.push(stretch[lowest.min(highest)]);
    if lowest != highest {
        kept.push(stretch[lowest.max(highest)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_stay_as_they_are() {
        let points = [(0.0, 1.0), (1.0, 2.0)];

        assert_eq!(thinned(&points, 10), points);
    }

    #[test]
    fn a_spike_and_both_ends_are_kept() {
        let mut points: Vec<Point> = (0..10_000).map(|n| (f64::from(n), 1.0)).collect();
        points[7777].1 = 50.0;

        let thin = thinned(&points, 100);

        assert!(thin.len() <= 100);
        assert!(thin.contains(&(7777.0, 50.0)));
        assert_eq!((thin[0].0, thin[thin.len() - 1].0), (0.0, 9999.0));
        assert!(thin.is_sorted_by(|a, b| a.0 < b.0));
    }
}
