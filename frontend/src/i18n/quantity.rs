//! Numbers with their units, as each language writes them.

use std::fmt::Display;

use weft_shared::bytes::Bytes;

use super::Language;

/// A span of time, to about a hundredth of it.
pub fn duration(seconds: f64, language: Language) -> String {
    let (hour, minute, second) = match language {
        Language::English => ("h", "min", "s"),
        Language::Chinese => ("小时", "分", "秒"),
    };
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".into();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} {second}");
    }
    let whole = seconds.round();
    let (hours, minutes) = ((whole / 3600.0).floor(), (whole / 60.0).floor());
    if minutes < 1.0 {
        format!("{whole:.0} {second}")
    } else if hours < 1.0 {
        format!("{minutes:.0} {minute} {:.0} {second}", whole - minutes * 60.0)
    } else {
        format!("{hours:.0} {hour} {:.0} {minute}", minutes - hours * 60.0)
    }
}

/// Memory.
pub fn bytes(bytes: u64) -> String {
    Bytes(bytes).to_string()
}

/// A count, with its thousands set apart by thin spaces; of other numbers the whole part, rounded.
pub fn count(count: impl Display) -> String {
    let digits = format!("{count:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('\u{2009}');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_the_units_that_matter() {
        for (seconds, english, chinese) in [
            (0.25, "0.2 s", "0.2 秒"),
            (9.96, "10 s", "10 秒"),
            (59.6, "1 min 0 s", "1 分 0 秒"),
            (200.0, "3 min 20 s", "3 分 20 秒"),
            (7500.0, "2 h 5 min", "2 小时 5 分"),
            (f64::INFINITY, "–", "–"),
        ] {
            assert_eq!(duration(seconds, Language::English), english);
            assert_eq!(duration(seconds, Language::Chinese), chinese);
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(count(7_usize), "7");
        assert_eq!(count(130_344_usize), "130\u{2009}344");
        assert_eq!(count(1_000_000_u64), "1\u{2009}000\u{2009}000");
        assert_eq!(count(2345.6), "2\u{2009}346");
    }
}
