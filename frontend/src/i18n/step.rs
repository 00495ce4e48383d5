//! The steps of tokenizing, in a few words each.

use weft_shared::tokenizer::StepName;

use super::Language;

/// A step's name, and what it does.
pub fn explain(step: StepName, language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => english(step),
        Language::Chinese => chinese(step),
    }
}

fn english(step: StepName) -> (&'static str, &'static str) {
    match step {
        StepName::Text => ("Letters", "Small letters only, where the model's settings say so."),
        StepName::SpecialTokens => ("Special tokens", "Those written out in the text are cut out."),
        StepName::WhiteSpace => ("White space", "Line ends, tabs and runs of spaces get names."),
        StepName::Characters => {
            ("Characters", "Full-width letters, ligatures and the like are rewritten.")
        }
        StepName::Spaces => ("Spaces", "Gathered, one put in front, each written ▁."),
        StepName::Pieces => ("Pieces", "Of all ways to cut the text, the most probable."),
    }
}

fn chinese(step: StepName) -> (&'static str, &'static str) {
    match step {
        StepName::Text => ("字母", "按模型设置，只保留小写。"),
        StepName::SpecialTokens => ("特殊词元", "切出文本中写明的特殊词元。"),
        StepName::WhiteSpace => ("空白", "换行、制表符和连续空格换成专名。"),
        StepName::Characters => ("字符", "改写全角字母、连字等。"),
        StepName::Spaces => ("空格", "合并空格，开头加一个，都写作 ▁。"),
        StepName::Pieces => ("切分", "在所有切法中取可能性最大的一种。"),
    }
}
