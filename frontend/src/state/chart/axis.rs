//! An axis: where a value stands on it, and which values are written beside it.

/// How values become places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    #[default]
    Linear,
    Logarithmic,
}

/// From one value to another, which is greater.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    from: f64,
    to: f64,
    scale: Scale,
}

/// Values written beside an axis, about.
const TICKS: f64 = 4.0;
const MOST_TICKS: u32 = 20;

impl Axis {
    /// A linear axis with just these ends.
    pub fn exact(from: f64, to: f64) -> Self {
        Self { from, to: if to > from { to } else { from + 1.0 }, scale: Scale::Linear }
    }

    /// Has room for all values and ends at round ones.
    pub fn around(values: impl Iterator<Item = f64>, scale: Scale) -> Self {
        let is_shown = |value: &f64| value.is_finite() && (scale == Scale::Linear || *value > 0.0);
        let (low, high) = values
            .filter(is_shown)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            return Self { from: if scale == Scale::Linear { 0.0 } else { 0.1 }, to: 1.0, scale };
        }
        match scale {
            Scale::Linear => Self::linear_around(low, high),
            Scale::Logarithmic => Self::logarithmic_around(low, high),
        }
    }

    fn linear_around(low: f64, high: f64) -> Self {
        // A curve that comes near zero is shown with the zero.
        let low = if low > 0.0 && low < high * 0.4 { 0.0 } else { low };
        let spread = if high > low { high - low } else { high.abs().max(1e-9) };
        let step = round_step(spread / TICKS);
        let from = (low / step).floor() * step;
        let to = (high / step).ceil() * step;
        Self { from, to: if to > from { to } else { from + step }, scale: Scale::Linear }
    }

    fn logarithmic_around(low: f64, high: f64) -> Self {
        let steps = [1.0, 2.0, 5.0, 10.0];
        let decade = |value: f64| 10_f64.powf(value.log10().floor());
        let below = |value: f64| {
            let factor = steps.iter().rev().find(|step| *step * decade(value) <= value * 1.000_001);
            factor.unwrap_or(&1.0) * decade(value)
        };
        let above = |value: f64| {
            let factor = steps.iter().find(|step| *step * decade(value) >= value * 0.999_999);
            factor.unwrap_or(&10.0) * decade(value)
        };
        let (from, to) = (below(low), above(high));
        Self { from, to: if to > from { to } else { from * 10.0 }, scale: Scale::Logarithmic }
    }

    /// From 0 at the start to 1 at the end; `None` for what has no place.
    pub fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Logarithmic => (value / self.from).ln() / (self.to / self.from).ln(),
        };
        place.is_finite().then_some(place)
    }

    /// The value at a place.
    pub fn value(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Linear => self.from + place * (self.to - self.from),
            Scale::Logarithmic => self.from * (self.to / self.from).powf(place),
        }
    }

    /// The end of the axis.
    pub fn end(&self) -> f64 {
        self.to
    }

    /// A few round values, and their places.
    pub fn ticks(&self) -> Vec<(f64, f64)> {
        let values = match self.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Logarithmic => self.logarithmic_ticks(),
        };
        values.into_iter().filter_map(|value| Some((value, self.place(value)?))).collect()
    }

    fn linear_ticks(&self) -> Vec<f64> {
        let step = round_step((self.to - self.from) / TICKS);
        let first = (self.from / step).ceil();
        let values = (0..MOST_TICKS).map(|n| (first + f64::from(n)) * step);
        values.take_while(|value| *value <= self.to + step * 1e-6).collect()
    }

    fn logarithmic_ticks(&self) -> Vec<f64> {
        let first = self.from.log10().floor() as i32;
        let last = self.to.log10().ceil() as i32;
        let factors: &[f64] = if last - first <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = (last - first) / 6 + 1;
        let decades = (first..=last).filter(|decade| (decade - first) % every == 0);
        let values = decades.flat_map(|it| factors.iter().map(move |by| by * 10_f64.powi(it)));
        values
            .filter(|value| *value >= self.from * 0.999_999 && *value <= self.to * 1.000_001)
            .collect()
    }
}

/// The next of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is not below.
fn round_step(least: f64) -> f64 {
    let decade = 10_f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors.into_iter().find(|factor| factor * decade >= least * 0.999_999);
    factor.unwrap_or(10.0) * decade
}

/// A value in few characters.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e6).contains(&size) {
        let text = format!("{value:.2e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trimmed(digits));
    }
    let decimals = usize::try_from(3 - size.log10().floor() as i32).unwrap_or(0).min(5);
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

/// Without zeros at the end of a fraction.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_round_values() {
        let axis = Axis::around([0.3, 3.7].into_iter(), Scale::Linear);

        assert_eq!(values(&axis), ["0", "1", "2", "3", "4"]);
    }

    #[test]
    fn values_far_from_zero_are_shown_without_it() {
        let axis = Axis::around([10.2, 11.9].into_iter(), Scale::Linear);

        assert_eq!(values(&axis), ["10", "10.5", "11", "11.5", "12"]);
    }

    #[test]
    fn a_logarithmic_axis_counts_by_factors() {
        let axis = Axis::around([0.03, 4.0].into_iter(), Scale::Logarithmic);
        let wide = Axis::around([1e-6, 1.0].into_iter(), Scale::Logarithmic);

        assert_eq!(axis.place(0.0), None);
        assert_eq!((axis.place(0.02), axis.place(5.0)), (Some(0.0), Some(1.0)));
        assert!((axis.value(0.5) - 0.1_f64.sqrt()).abs() < 1e-9);
        assert!((3..=8).contains(&wide.ticks().len()), "{:?}", wide.ticks());
    }

    #[test]
    fn one_value_alone_or_none_still_has_an_axis() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            for values in [&[][..], &[0.0], &[2.0], &[1e-4, 1e-4], &[f64::NAN]] {
                let axis = Axis::around(values.iter().copied(), scale);

                assert!((2..=8).contains(&axis.ticks().len()), "{values:?} {scale:?} {axis:?}");
                assert!(axis.value(0.0) < axis.value(1.0));
            }
        }
    }

    #[test]
    fn values_are_short() {
        for (value, wanted) in [
            (0.0, "0"),
            (1.234_56, "1.235"),
            (12.0, "12"),
            (0.002_5, "0.0025"),
            (1e-4, "1e-4"),
            (1.25e-5, "1.25e-5"),
            (1500.0, "1500"),
            (0.1 + 0.2, "0.3"),
        ] {
            assert_eq!(short(value), wanted);
        }
    }

    fn values(axis: &Axis) -> Vec<String> {
        axis.ticks().iter().map(|&(value, _)| short(value)).collect()
    }
}
