//! What is wrong with a pair or a file, in few words.

use weft_shared::dataset::FindingKind;

use crate::{
    i18n::Language,
    state::dataset::{import::Refusal, problems::ProblemKind},
};

/// A kind of problem, to choose it by.
pub fn name(kind: ProblemKind, language: Language) -> &'static str {
    let (english, chinese) = match kind {
        ProblemKind::Empty => ("Empty", "空白"),
        ProblemKind::TooLong => ("Too long", "过长"),
        ProblemKind::Duplicate => ("Duplicate", "重复"),
        ProblemKind::SpecialToken => ("Special token in the text", "含特殊词元"),
    };
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

/// A problem, on its row.
pub fn explain(kind: &FindingKind, language: Language) -> String {
    match language {
        Language::English => match kind {
            FindingKind::EmptyQuestion => "No question".into(),
            FindingKind::EmptyAnswer => "No answer: only the end would be learned".into(),
            FindingKind::Duplicate { of } => format!("Same as pair {}", of + 1),
            FindingKind::SpecialToken { token } => {
                format!("“{token}” may be read as a special token")
            }
            FindingKind::LongQuestion { fit } => {
                format!("Question too long: {} tokens of at most {}", fit.tokens, fit.limit)
            }
            FindingKind::LongAnswer { fit } => {
                format!("Answer too long: {} tokens of at most {}", fit.tokens, fit.limit)
            }
        },
        Language::Chinese => match kind {
            FindingKind::EmptyQuestion => "没有问题".into(),
            FindingKind::EmptyAnswer => "没有回答：只会学到结束".into(),
            FindingKind::Duplicate { of } => format!("与第 {} 对相同", of + 1),
            FindingKind::SpecialToken { token } => format!("“{token}”可能被读作特殊词元"),
            FindingKind::LongQuestion { fit } => {
                format!("问题过长：{} 个词元，上限 {}", fit.tokens, fit.limit)
            }
            FindingKind::LongAnswer { fit } => {
                format!("回答过长：{} 个词元，上限 {}", fit.tokens, fit.limit)
            }
        },
    }
}

/// Why a file gave no pairs, and what to do.
pub fn refusal(refusal: &Refusal, language: Language) -> String {
    match language {
        Language::English => match refusal {
            Refusal::NotUtf8 { valid } => {
                format!("not UTF-8 from byte {valid} on; save it as UTF-8")
            }
            Refusal::Empty => "there is nothing in it".into(),
            Refusal::UnknownForm => "neither JSON, nor JSON lines, nor a table whose first line \
                                     names a question and an answer column"
                .into(),
            Refusal::NoColumns(columns) => {
                format!("no column for the question and the answer among these: {columns}")
            }
            Refusal::NoPairs => "no line could be used".into(),
            Refusal::Unreadable => "the table could not be read".into(),
            Refusal::Unread => {
                "the browser could not read it; it may be a folder, or was moved or \
                                changed since it was chosen"
                    .into()
            }
        },
        Language::Chinese => match refusal {
            Refusal::NotUtf8 { valid } => {
                format!("从第 {valid} 字节起不是 UTF-8，请另存为 UTF-8")
            }
            Refusal::Empty => "没有内容".into(),
            Refusal::UnknownForm => {
                "不是 JSON、JSON Lines，也不是首行含有问题列和回答列的表格".into()
            }
            Refusal::NoColumns(columns) => format!("这些列中没有问题列和回答列：{columns}"),
            Refusal::NoPairs => "没有一行可以使用".into(),
            Refusal::Unreadable => "表格无法读取".into(),
            Refusal::Unread => "浏览器无法读取：可能是文件夹，或者选择之后被移动或修改过".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::sample::Fit;

    use super::*;

    #[test]
    fn a_long_answer_is_told_with_both_numbers() {
        let kind = FindingKind::LongAnswer { fit: Fit { tokens: 612, limit: 500 } };

        assert_eq!(explain(&kind, Language::English), "Answer too long: 612 tokens of at most 500");
        assert_eq!(explain(&kind, Language::Chinese), "回答过长：612 个词元，上限 500");
    }

    #[test]
    fn pairs_are_counted_from_one() {
        let kind = FindingKind::Duplicate { of: 0 };

        assert_eq!(explain(&kind, Language::English), "Same as pair 1");
    }
}
