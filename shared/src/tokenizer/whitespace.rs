//! White space that a word model would lose: each line break, tab and run of spaces becomes the name of a token.
//!
//! As `SPTokenizer._preprocess` and `postprocess` of the published `tokenization_chatglm.py`.

use super::sink::Sink;

/// The name of a line break.
pub(super) const LINE_BREAK: &str = "<n>";
/// The name of a tab.
pub(super) const TAB: &str = "<|tab|>";
/// The longest run of spaces with a name of its own.
pub(super) const LONGEST_BLANK: usize = 80;

/// The name of a run of `spaces` spaces, 2 to 80.
pub(super) fn blank(spaces: usize) -> String {
    format!("<|blank_{spaces}|>")
}

/// Whether [`encode`] would change anything.
pub(super) fn has_any(text: &str) -> bool {
    let mut before = 0;
    text.bytes().any(|byte| {
        let found = byte == b'\n' || byte == b'\t' || (byte == b' ' && before == b' ');
        before = byte;
        found
    })
}

/// Writes line breaks, tabs and runs of two and more spaces by name.
///
/// A run of more than 80 spaces is cut from its front, and a single space that is left stays.
pub(super) fn encode(text: &str, out: &mut impl Sink) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'\n' => {
                at += 1;
                out.put(LINE_BREAK, start);
            }
            b'\t' => {
                at += 1;
                out.put(TAB, start);
            }
            b' ' => {
                let run = bytes[at..]
                    .iter()
                    .take(LONGEST_BLANK)
                    .take_while(|byte| **byte == b' ')
                    .count();
                at += run;
                if run == 1 { out.copy(" ", start) } else { put_blank(run, start, out) }
            }
            _ => {
                at += bytes[at..]
                    .iter()
                    .position(|byte| matches!(byte, b' ' | b'\n' | b'\t'))
                    .unwrap_or(bytes.len() - at);
                out.copy(&text[start..at], start);
            }
        }
    }
}

/// Writes the name of a run of spaces, without making a string of it.
fn put_blank(spaces: usize, from: usize, out: &mut impl Sink) {
    let digit = |value: usize| char::from(b'0' + (value % 10) as u8);
    out.put("<|blank_", from);
    if spaces >= 10 {
        out.put(digit(spaces / 10).encode_utf8(&mut [0; 4]), from);
    }
    out.put(digit(spaces).encode_utf8(&mut [0; 4]), from);
    out.put("|>", from);
}

/// The white space that the names in `text` stand for.
pub(super) fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        if let Some((length, white_space)) = name_at(rest) {
            white_space.write(&mut out);
            rest = &rest[length..];
        } else {
            out.push('<');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum WhiteSpace {
    LineBreak,
    Tab,
    Spaces(usize),
}

impl WhiteSpace {
    fn write(self, out: &mut String) {
        match self {
            Self::LineBreak => out.push('\n'),
            Self::Tab => out.push('\t'),
            Self::Spaces(spaces) => out.extend(std::iter::repeat_n(' ', spaces)),
        }
    }
}

/// The name that `text` starts with: its length in bytes, and what it stands for.
fn name_at(text: &str) -> Option<(usize, WhiteSpace)> {
    if text.starts_with(LINE_BREAK) {
        return Some((LINE_BREAK.len(), WhiteSpace::LineBreak));
    }
    if text.starts_with(TAB) {
        return Some((TAB.len(), WhiteSpace::Tab));
    }
    let digits = text.strip_prefix("<|blank_")?;
    let number = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count().min(3)];
    let spaces = number.parse().ok().filter(|spaces| (2..=LONGEST_BLANK).contains(spaces))?;
    let name = blank(spaces);
    text.starts_with(&name).then_some((name.len(), WhiteSpace::Spaces(spaces)))
}

/// How many bytes at the end of `text` may be the start of a name.
pub(super) fn unfinished(text: &str) -> usize {
    let Some(start) = text.rfind('<') else { return 0 };
    let end = &text[start..];
    let blank = "<|blank_";
    let name = LINE_BREAK.starts_with(end)
        || TAB.starts_with(end)
        || blank.starts_with(end)
        || end.strip_prefix(blank).is_some_and(|number| {
            let digits = number.strip_suffix('|').unwrap_or(number);
            (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
    if name && end != LINE_BREAK && end != TAB { end.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::sink::Aligned;

    fn encoded(text: &str) -> String {
        let mut out = String::new();
        encode(text, &mut out);
        out
    }

    #[test]
    fn white_space_gets_names() {
        assert_eq!(encoded("if x:\n\treturn  1"), "if x:<n><|tab|>return<|blank_2|>1");
        assert_eq!(encoded(" one space "), " one space ");
        assert_eq!(encoded(&" ".repeat(81)), "<|blank_80|> ");
        assert_eq!(encoded(&" ".repeat(162)), "<|blank_80|><|blank_80|><|blank_2|>");
    }

    #[test]
    fn a_name_stands_where_its_white_space_stood() {
        let mut out = Aligned::default();
        encode("a   b", &mut out);

        assert_eq!(out.text, "a<|blank_3|>b");
        assert_eq!(out.starts, [vec![0], vec![1; 11], vec![4]].concat());
    }

    #[test]
    fn names_become_white_space_again() {
        assert_eq!(decode("a<n>b<|tab|>c<|blank_80|>"), format!("a\nb\tc{}", " ".repeat(80)));
        assert_eq!(
            decode("<|blank_81|> <|blank_1|> <|blank_02|> <<n>"),
            "<|blank_81|> <|blank_1|> <|blank_02|> <\n"
        );
    }

    #[test]
    fn the_start_of_a_name_is_unfinished() {
        for (text, bytes) in
            [("a<", 2 - 1), ("<n", 2), ("<n>", 0), ("<|blank_8", 9), ("<|blank_80|", 11), ("<b", 0)]
        {
            assert_eq!(unfinished(text), bytes, "{text}");
        }
    }
}
