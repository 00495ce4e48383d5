//! Names of adapters and datasets.

use super::{Result, StoreError};

/// Characters, not bytes.
pub(super) const LONGEST_NAME: usize = 64;
const LONGEST_TITLE: usize = 200;

/// Refuses what cannot be an adapter's name. Others write it behind a `:` in a model's name and in paths.
pub fn check_name(name: &str) -> Result<()> {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = (1..=LONGEST_NAME).contains(&name.chars().count());
    if fits && name.chars().all(is_allowed) && name.chars().any(char::is_alphanumeric) {
        return Ok(());
    }
    let wanted = "up to 64 letters, digits, `-`, `_` and `.`, a letter or digit among them";
    Err(StoreError::BadName { name: name.to_owned(), wanted })
}

/// A dataset's name without spaces around it; it may have any within.
pub(super) fn title(name: &str) -> Result<&str> {
    let title = name.trim();
    let fits = (1..=LONGEST_TITLE).contains(&title.chars().count());
    if fits && !title.chars().any(char::is_control) {
        return Ok(title);
    }
    let wanted = "1 to 200 characters on one line";
    Err(StoreError::BadName { name: name.to_owned(), wanted })
}

/// `name` with a number behind it, not longer than a name may be.
pub(super) fn numbered(name: &str, number: usize) -> String {
    let suffix = format!("-{number}");
    let kept = LONGEST_NAME - suffix.len();
    name.chars().take(kept).chain(suffix.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_have_names_of_letters_of_any_script() {
        for name in ["a", "客服-v1.2", "Große_Fuge", &"长".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a:b", "a/b", "..", "-", "a\n", &"长".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn datasets_may_have_spaces_within() {
        assert_eq!(title(" my pairs (2).csv ").unwrap(), "my pairs (2).csv");
        for name in ["", "  ", "two\nlines", &"n".repeat(201)] {
            assert!(title(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_numbered_name_is_a_name() {
        assert_eq!(numbered("mine", 2), "mine-2");
        assert!(check_name(&numbered(&"长".repeat(64), 10)).is_ok());
    }
}
