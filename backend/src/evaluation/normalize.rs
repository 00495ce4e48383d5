//! Texts that a person would call the same.

/// In small letters, full-width forms as half-width ones, white space as one space between words and none elsewhere,
/// without the punctuation at the end.
pub fn normalize(text: &str) -> String {
    let small: String = text.chars().map(half_width).flat_map(char::to_lowercase).collect();
    let words: Vec<&str> = small.split_whitespace().collect();
    let joined = words.join(" ");
    joined.trim_end_matches(|end: char| is_punctuation(end) || end.is_whitespace()).to_owned()
}

/// U+FF01 to U+FF5E are the characters from `!` to `~`, as wide as Chinese ones.
fn half_width(character: char) -> char {
    const SHIFT: u32 = 0xFF01 - 0x21;
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - SHIFT).unwrap_or(character)
        }
        '\u{3000}' => ' ',
        other => other,
    }
}

fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation() && !")]}%".contains(character) || "。、…～".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_width_and_the_last_stop_do_not_matter() {
        assert_eq!(normalize("  It is  Paris. "), "it is paris");
        assert_eq!(normalize("是巴黎。"), normalize("是巴黎"));
        assert_eq!(normalize("１＋１＝２！"), "1+1=2");
    }

    #[test]
    fn what_is_said_matters() {
        assert_ne!(normalize("12"), normalize("13"));
        assert_ne!(normalize("a b"), normalize("ab"));
        assert_eq!(normalize("(a)"), "(a)");
    }
}
