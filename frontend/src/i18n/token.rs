//! What a token is, in a sentence.

use super::Language;
use crate::state::chip::{Chip, Kind};

/// Says what kind of token it is, and what there is to know about that kind.
pub fn explain(chip: &Chip, language: Language) -> String {
    match language {
        Language::English => english(chip),
        Language::Chinese => chinese(chip),
    }
}

fn english(chip: &Chip) -> String {
    match &chip.kind {
        Kind::Text if chip.piece.starts_with('▁') => {
            "Text. The ▁ in front is a space, or the start of the text.".into()
        }
        Kind::Text => "Text that continues the word before it.".into(),
        Kind::Space(1) => "A space of its own.".into(),
        Kind::Space(count) => format!("{count} spaces in one token: code and tables cost little."),
        Kind::Tab => "A tab.".into(),
        Kind::NewLine => "A line end. The vocabulary writes it <n>.".into(),
        Kind::Byte { of: Some(of), place, places, .. } => format!(
            "Byte {place} of {places} of {of} (U+{:04X}), which the vocabulary has no token for.",
            u32::from(*of)
        ),
        Kind::Byte { .. } => "A byte of a character that the vocabulary has no token for.".into(),
        Kind::Special => special_english(&chip.piece).into(),
        Kind::Unknown => {
            "Nothing in the vocabulary fits: the model cannot tell what stood here.".into()
        }
        Kind::Part { of } => format!("One of the tokens that together stand for {of}."),
        Kind::Inserted => {
            "Put in by the tokenizer before the first word; nothing in the text stands for it."
                .into()
        }
    }
}

fn special_english(piece: &str) -> &'static str {
    match piece {
        "[gMASK]" => "Special: the answer follows at the end of the text.",
        "[MASK]" => "Special: a short gap to fill in here.",
        "[sMASK]" => "Special: a sentence to fill in here.",
        "<sop>" => "Special: here the answer starts.",
        "<eop>" => "Special: here the answer ends.",
        "<pad>" => "Special: fills short texts of a batch.",
        _ => "Special: written out in a text, it is taken for the token itself.",
    }
}

fn chinese(chip: &Chip) -> String {
    match &chip.kind {
        Kind::Text if chip.piece.starts_with('▁') => "文字。前面的 ▁ 表示空格或文本开头。".into(),
        Kind::Text => "文字，接在前一个词元之后。".into(),
        Kind::Space(1) => "单独的一个空格。".into(),
        Kind::Space(count) => format!("一个词元代表 {count} 个空格：代码和表格因此很省词元。"),
        Kind::Tab => "制表符。".into(),
        Kind::NewLine => "换行，词表中写作 <n>。".into(),
        Kind::Byte { of: Some(of), place, places, .. } => {
            format!(
                "{of}（U+{:04X}）的第 {place} 个字节，共 {places} 个；词表中没有这个字符。",
                u32::from(*of)
            )
        }
        Kind::Byte { .. } => "词表中没有的字符的一个字节。".into(),
        Kind::Special => special_chinese(&chip.piece).into(),
        Kind::Unknown => "词表中没有对应的词元：模型无从得知这里原来是什么。".into(),
        Kind::Part { of } => format!("与相邻词元合起来代表 {of}。"),
        Kind::Inserted => "分词器在第一个词前加入，原文中没有对应的内容。".into(),
    }
}

fn special_chinese(piece: &str) -> &'static str {
    match piece {
        "[gMASK]" => "特殊词元：回答在文本末尾生成。",
        "[MASK]" => "特殊词元：此处需填补一个短空缺。",
        "[sMASK]" => "特殊词元：此处需填补一个句子。",
        "<sop>" => "特殊词元：回答从这里开始。",
        "<eop>" => "特殊词元：回答到这里结束。",
        "<pad>" => "特殊词元：用来补齐批次中较短的文本。",
        _ => "特殊词元：在文本中照样写出，也会被当作该词元本身。",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_explained_by_its_character() {
        let kind = Kind::Byte { value: 0x9f, of: Some('😀'), place: 2, places: 4 };
        let chip = Chip {
            index: 0,
            id: 1,
            piece: "<0x9F>".into(),
            start: 1,
            end: 2,
            kind,
            shown: "9F".into(),
            breaks_line: false,
        };

        assert_eq!(
            explain(&chip, Language::English),
            "Byte 2 of 4 of 😀 (U+1F600), which the vocabulary has no token for."
        );
    }
}
