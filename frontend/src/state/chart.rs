//! Curves as they are drawn: scaled to a square of [`SIDE`], thinned to what a screen can show.

pub mod axis;
pub mod thin;

use std::fmt::Write as _;

pub use axis::{Axis, Scale};

/// The width and height of the drawing; the page stretches it.
pub const SIDE: f64 = 1000.0;

/// Points of one curve that are drawn; more cannot be told apart on a screen.
const DRAWN_POINTS: usize = 1600;

/// A point: steps, and the value there.
pub type Point = (f64, f64);

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    pub look: Look,
    /// By growing step.
    pub points: Vec<Point>,
}

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Every value, thin, in the back.
    Raw,
    /// What the eye should follow.
    Main,
    /// Few values, each a dot.
    Dots,
    /// Of another run; counted from 0.
    Other(usize),
}

impl Look {
    /// As the style sheets call it.
    pub fn class(self) -> String {
        match self {
            Self::Raw => "raw".into(),
            Self::Main => "main".into(),
            Self::Dots => "dots".into(),
            Self::Other(number) => format!("other-{}", number % 4),
        }
    }
}

/// A drawing of curves.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    pub x: Axis,
    pub y: Axis,
    pub curves: Vec<Curve>,
}

/// The `d` of an SVG path for a curve, and one for its dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    pub class: String,
    pub line: String,
    pub dots: String,
}

impl Drawing {
    /// Draws curves over the steps from 0 to `steps`, or further where a curve goes further.
    pub fn new(series: &[Series], steps: f64, scale: Scale) -> Self {
        let points = || series.iter().flat_map(|series| series.points.iter().copied());
        let last = points().map(|(x, _)| x).fold(steps.max(1.0), f64::max);
        let x = Axis::exact(0.0, last);
        let y = Axis::around(points().map(|(_, y)| y), scale);
        let curves = series.iter().map(|series| curve(series, &x, &y)).collect();
        Self { x, y, curves }
    }
}

fn curve(series: &Series, x: &Axis, y: &Axis) -> Curve {
    let thinned = thin::thinned(&series.points, DRAWN_POINTS);
    let mut line = String::new();
    let mut dots = String::new();
    let mut is_pen_down = false;
    for (step, value) in thinned {
        let Some(height) = y.place(value) else {
            is_pen_down = false;
            continue;
        };
        let Some(left) = x.place(step) else { continue };
        let (left, top) = (left * SIDE, (1.0 - height) * SIDE);
        let command = if is_pen_down { 'L' } else { 'M' };
        is_pen_down = true;
        // Writing into a string does not fail.
        let _ = write!(line, "{command}{left:.1} {top:.1}");
        if series.look == Look::Dots {
            let _ = write!(dots, "M{left:.1} {top:.1}h0");
        }
    }
    Curve { class: series.look.class(), line, dots }
}

/// The point whose step is nearest to `step`.
pub fn nearest(points: &[Point], step: f64) -> Option<Point> {
    let behind = points.partition_point(|&(x, _)| x < step);
    let candidates = [behind.checked_sub(1), Some(behind)];
    let found = candidates.into_iter().flatten().filter_map(|index| points.get(index));
    found.copied().min_by(|a, b| (a.0 - step).abs().total_cmp(&(b.0 - step).abs()))
}

/// A running mean that forgets: each value is `weight` parts of what came before it.
///
/// It is not drawn to 0 at the start: the sum of the weights is divided out, as in Adam's means.
pub fn smoothed(points: &[Point], weight: f64) -> Vec<Point> {
    let (mut mean, mut total) = (0.0, 0.0);
    let mut smooth = Vec::with_capacity(points.len());
    for &(x, y) in points {
        if y.is_finite() {
            mean = weight * mean + (1.0 - weight) * y;
            total = weight * total + (1.0 - weight);
        }
        if total > 0.0 {
            smooth.push((x, mean / total));
        }
    }
    smooth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_corner_to_corner() {
        let drawing = Drawing::new(&[series(&[(0.0, 0.0), (10.0, 4.0)])], 10.0, Scale::Linear);

        assert_eq!(drawing.curves[0].line, "M0.0 1000.0L1000.0 0.0");
    }

    #[test]
    fn what_a_logarithm_cannot_show_leaves_a_gap() {
        let points = [(0.0, 1.0), (5.0, 0.0), (10.0, 10.0)];

        let drawing = Drawing::new(&[series(&points)], 10.0, Scale::Logarithmic);

        assert_eq!(drawing.curves[0].line, "M0.0 1000.0M1000.0 0.0");
    }

    #[test]
    fn fifty_thousand_points_become_a_path_of_few() {
        let points: Vec<Point> = (0..50_000).map(|n| (f64::from(n), f64::from(n % 100))).collect();

        let drawing = Drawing::new(&[series(&points)], 50_000.0, Scale::Linear);

        let drawn = drawing.curves[0].line.matches(['M', 'L']).count();
        assert!((1000..=DRAWN_POINTS).contains(&drawn), "{drawn}");
    }

    #[test]
    fn a_mean_starts_at_the_first_value_and_follows() {
        let smooth = smoothed(&[(1.0, 4.0), (2.0, 4.0), (3.0, 0.0)], 0.5);

        assert_eq!(smooth[0], (1.0, 4.0));
        assert_eq!(smooth[1], (2.0, 4.0));
        assert!(smooth[2].1 > 0.0 && smooth[2].1 < 4.0);
    }

    #[test]
    fn a_value_that_is_no_number_does_not_spoil_the_mean() {
        let smooth = smoothed(&[(1.0, 4.0), (2.0, f64::NAN), (3.0, 4.0)], 0.9);

        assert!(smooth.iter().all(|&(_, y)| (y - 4.0).abs() < 1e-9));
    }

    #[test]
    fn the_nearest_point_is_found_on_either_side() {
        let points = [(0.0, 1.0), (10.0, 2.0), (20.0, 3.0)];

        assert_eq!(nearest(&points, 4.0), Some((0.0, 1.0)));
        assert_eq!(nearest(&points, 6.0), Some((10.0, 2.0)));
        assert_eq!(nearest(&points, 99.0), Some((20.0, 3.0)));
        assert_eq!(nearest(&[], 1.0), None);
    }

    fn series(points: &[Point]) -> Series {
        Series { name: "loss".into(), look: Look::Main, points: points.to_vec() }
    }
}
