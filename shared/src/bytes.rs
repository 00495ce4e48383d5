//! Amounts of memory, as a person reads them.

use std::fmt;

/// A number of bytes, shown in the unit that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut amount = self.0 as f64;
        let mut unit = 0;
        while amount >= 1000.0 && unit + 1 < UNITS.len() {
            amount /= 1024.0;
            unit += 1;
        }
        let decimals = usize::from(unit > 0 && amount < 100.0);
        write!(f, "{amount:.decimals$} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_the_unit_that_fits() {
        for (bytes, told) in [
            (12, "12 B"),
            (512, "512 B"),
            (3 << 19, "1.5 MiB"),
            (1000 << 20, "1.0 GiB"),
            (13 << 30, "13.0 GiB"),
            (200 << 30, "200 GiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), told);
        }
    }
}
