//! Why a record of a file gave no pair.

use weft_shared::dataset::RecordError;

use crate::i18n::Language;

/// What is wrong with it; what a parser says of its own stays in the parser's words.
pub fn explain(error: &RecordError, language: Language) -> String {
    match language {
        Language::English => error.to_string(),
        Language::Chinese => chinese(error),
    }
}

fn chinese(error: &RecordError) -> String {
    match error {
        RecordError::NotJson(reason) => format!("不是 JSON：{reason}"),
        RecordError::ListNotClosed => "列表没有结束，文件可能不完整".into(),
        RecordError::NotAnObject(found) => {
            format!("一条记录应是花括号里的对象，这里是{}", kind(found))
        }
        RecordError::UnknownShape(fields) if fields == "none" => "没有任何字段".into(),
        RecordError::UnknownShape(fields) => format!("这些字段中没有问题和回答：{fields}"),
        RecordError::Missing(field) => format!("缺少 `{field}`"),
        RecordError::WrongType { field, found, wanted } => {
            format!("`{field}` 应是{}，这里是{}", kind(wanted), kind(found))
        }
        RecordError::NoTurns => "对话是空的".into(),
        RecordError::UnknownRole { turn, role } => {
            format!("第 {turn} 轮的角色 `{role}` 是 ChatGLM-6B 不认识的")
        }
        RecordError::OutOfTurn { turn, found, wanted } => {
            format!("第 {turn} 轮应是 {wanted}，这里是 {found}")
        }
        RecordError::Unanswered => "最后一个问题没有回答".into(),
        RecordError::FieldCount { found, wanted } => {
            format!("有 {found} 个字段，而首行有 {wanted} 列")
        }
        RecordError::QuoteNotClosed => "引号没有结束".into(),
        RecordError::TextAfterQuote => "结束的引号后面还有文字；引号内的引号要写两次".into(),
        RecordError::Table(reason) => format!("表格无法读取：{reason}"),
    }
}

/// What a value is; [`RecordError`] has it in English.
fn kind(english: &str) -> &str {
    match english {
        "true or false" => "真假值",
        "a number" => "数字",
        "text" => "文本",
        "a list" => "列表",
        "an object" => "对象",
        "a list of [question, answer]" => "由 [问题, 回答] 组成的列表",
        "a list of words" => "由词语组成的列表",
        "a list of something else" => "由其他内容组成的列表",
        "a list with more than text" => "不只含文本的列表",
        // `null` is so called in both.
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use weft_shared::dataset::{DatasetError, read};

    use super::*;

    fn explained(record: &str) -> String {
        let Err(DatasetError::NoPairs(problems)) = read(record.as_bytes(), None) else {
            panic!("{record} is no pair")
        };
        explain(&problems[0].reason, Language::Chinese)
    }

    #[test]
    fn every_kind_of_value_has_a_chinese_name() {
        for record in [
            r#"{"question": 1, "answer": "a"}"#,
            r#"{"question": true, "answer": "a"}"#,
            r#"{"question": [], "answer": "a"}"#,
            r#"{"question": {}, "answer": "a"}"#,
            r#"{"question": "q", "answer": "a", "history": "text"}"#,
            r#"{"question": "q", "answer": "a", "history": [[1]]}"#,
            r#"{"question": "q", "answer": "a", "tags": [1]}"#,
            r#"{"messages": "text"}"#,
            r#"{"messages": ["text"]}"#,
            r#"{"messages": [{"role": "user", "content": [{"type": "image"}]}]}"#,
        ] {
            let explained = explained(record);
            let (_, said) = explained.rsplit_once('`').unwrap();
            assert!(!said.chars().any(|it| it.is_ascii_alphabetic()), "{said}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(explained(r#"{"messages": [{"content": "q"}]}"#), "缺少 `role`");
        assert_eq!(explained("{\"a\": 1}"), "这些字段中没有问题和回答：a");
        assert_eq!(explained("{}\n{}"), "没有任何字段");
    }
}
