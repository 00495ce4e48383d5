//! What a token is, in a sentence.

use weft_shared::sample::Part;

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
        Kind::Tab => "A tab. The vocabulary writes it <|tab|>.".into(),
        Kind::NewLine => "A line end. The vocabulary writes it <n>.".into(),
        Kind::Byte { of: Some(of), place, places, .. } => format!(
            "Byte {place} of {places} of {of} (U+{:04X}), which the vocabulary has no token for.",
            u32::from(*of)
        ),
        Kind::Byte { .. } => "A byte of a character that the vocabulary has no token for.".into(),
        Kind::Special if is_in_the_text(chip) => {
            format!("{} It stands in the text, and is taken for the token itself.", special_english(&chip.piece))
        }
        Kind::Special => special_english(&chip.piece).into(),
        Kind::Unknown => {
            "Nothing in the vocabulary fits: the model cannot tell what stood here.".into()
        }
        Kind::Part { of } => format!("One of the tokens that together stand for {of}."),
        Kind::Inserted => {
            "Put in by the tokenizer at the start of every text: a ▁ that nothing in the text stands for."
                .into()
        }
    }
}

fn special_english(piece: &str) -> &'static str {
    match piece {
        "[gMASK]" => "Special: says that the answer follows at the end of the text.",
        "[MASK]" => "Special: a short gap inside the text, to be filled.",
        "[sMASK]" => "Special: a sentence missing inside the text, to be filled.",
        "<sop>" => "Special, start of piece: what comes behind it is written by the model.",
        "<eop>" => "Special, end of piece: here the model stops.",
        "<pad>" => "Special: fills the short samples of a batch.",
        "</s>" => "Special, end of sequence: the tokenizer adds it behind a text with [MASK].",
        _ => "Special: gives the sequence its structure.",
    }
}

fn chinese(chip: &Chip) -> String {
    match &chip.kind {
        Kind::Text if chip.piece.starts_with('▁') => "文字。前面的 ▁ 表示空格或文本开头。".into(),
        Kind::Text => "文字，接在前一个词元之后。".into(),
        Kind::Space(1) => "单独的一个空格。".into(),
        Kind::Space(count) => format!("一个词元代表 {count} 个空格：代码和表格因此很省词元。"),
        Kind::Tab => "制表符，词表中写作 <|tab|>。".into(),
        Kind::NewLine => "换行，词表中写作 <n>。".into(),
        Kind::Byte { of: Some(of), place, places, .. } => {
            format!(
                "{of}（U+{:04X}）的第 {place} 个字节，共 {places} 个；词表中没有这个字符。",
                u32::from(*of)
            )
        }
        Kind::Byte { .. } => "词表中没有的字符的一个字节。".into(),
        Kind::Special if is_in_the_text(chip) => {
            format!("{}它写在文本中，被当作词元本身。", special_chinese(&chip.piece))
        }
        Kind::Special => special_chinese(&chip.piece).into(),
        Kind::Unknown => "词表中没有对应的词元：模型无从得知这里原来是什么。".into(),
        Kind::Part { of } => format!("与相邻词元合起来代表 {of}。"),
        Kind::Inserted => "分词器在每段文本开头加入的 ▁，原文中没有对应的内容。".into(),
    }
}

fn special_chinese(piece: &str) -> &'static str {
    match piece {
        "[gMASK]" => "特殊词元：表示回答接在文本末尾。",
        "[MASK]" => "特殊词元：文本中有一处短空缺待填。",
        "[sMASK]" => "特殊词元：文本中缺一个句子待填。",
        "<sop>" => "特殊词元（片段开始）：此后的内容由模型来写。",
        "<eop>" => "特殊词元（片段结束）：模型到此停下。",
        "<pad>" => "特殊词元：用来补齐批次中较短的样本。",
        "</s>" => "特殊词元（序列结束）：文本含有 [MASK] 时由分词器加在末尾。",
        _ => "特殊词元：构成序列的结构。",
    }
}

/// Whether a person wrote the token out.
fn is_in_the_text(chip: &Chip) -> bool {
    !matches!(chip.origin, Part::Opening | Part::End)
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
            place: None,
            origin: Part::Question,
            span: None,
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
