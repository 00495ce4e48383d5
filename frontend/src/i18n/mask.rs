//! The attention mask in words.

use weft_shared::sample::AttentionMask;

use super::Language;

/// The whole picture, for those who do not see it.
pub fn describe(mask: AttentionMask, language: Language) -> String {
    let AttentionMask { context_length, length } = mask;
    let answer = length.saturating_sub(context_length);
    match language {
        Language::English => format!(
            "Attention mask of {length} by {length} tokens. Every token sees the first {context_length}. \
             Of the last {answer}, from <sop> on, each sees itself and those before it, and none behind it."
        ),
        Language::Chinese => format!(
            "注意力掩码，{length} × {length} 个词元。所有词元都能看到前 {context_length} 个。\
             从 <sop> 起的最后 {answer} 个，各自只能看到自己和之前的词元，看不到后面的。"
        ),
    }
}

/// What the token at `place` sees: the first `until` of `size`.
pub fn sees(token: &str, place: usize, until: usize, size: usize, language: Language) -> String {
    let number = place + 1;
    match language {
        Language::English if until == size => {
            format!("“{token}”, number {number}, sees all {size} tokens.")
        }
        Language::English => format!(
            "“{token}”, number {number}, sees the first {until} of {size} tokens; {} are hidden from it.",
            size - until
        ),
        Language::Chinese if until == size => {
            format!("第 {number} 个词元“{token}”能看到全部 {size} 个词元。")
        }
        Language::Chinese => format!(
            "第 {number} 个词元“{token}”能看到 {size} 个中的前 {until} 个，看不到其余 {} 个。",
            size - until
        ),
    }
}

/// Whether one token sees another.
pub fn one_sees(looks: &str, seen: &str, sees: bool, language: Language) -> String {
    match (language, sees) {
        (Language::English, true) => format!("“{looks}” sees “{seen}”."),
        (Language::English, false) => format!("“{looks}” must not see “{seen}”."),
        (Language::Chinese, true) => format!("“{looks}”能看到“{seen}”。"),
        (Language::Chinese, false) => format!("“{looks}”看不到“{seen}”。"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_sees_all_is_told_from_one_that_does_not() {
        assert_eq!(
            sees("帅", 17, 18, 21, Language::English),
            "“帅”, number 18, sees the first 18 of 21 tokens; 3 are hidden from it."
        );
        assert!(sees("<eop>", 20, 21, 21, Language::Chinese).contains("全部 21 个"));
    }
}
