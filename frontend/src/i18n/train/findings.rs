//! What the check found, in words: a heading and advice for each topic, and what there is to say of one pair.

use weft_shared::{
    api::job::RunFinding,
    dataset::{Finding, FindingKind},
    sample::Fit,
};

use crate::{
    i18n::{Language, quantity},
    state::train::report::{Topic, escaped},
};

/// What is wrong, and what to do about it.
pub fn explain(topic: Topic, language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => english(topic),
        Language::Chinese => chinese(topic),
    }
}

fn english(topic: Topic) -> (&'static str, &'static str) {
    match topic {
        Topic::NoPairs => (
            "No pair can be trained on",
            "Add pairs, or raise the limits of length so that some fit.",
        ),
        Topic::OtherModel => (
            "The server has another model by now",
            "Reload the page, so that it shows the data as this model reads it.",
        ),
        Topic::OtherData => (
            "The dataset was changed meanwhile",
            "Read it again, so that you start what you have seen.",
        ),
        Topic::OtherAdapter => (
            "The adapter to start from was made for another model",
            "Choose one of this model's, or fresh weights.",
        ),
        Topic::NoAdapter => {
            ("The adapter to start from is gone", "Choose another one, or fresh weights.")
        }
        Topic::Option => ("An option cannot be used", "Change it as said here."),
        Topic::Memory => (
            "The memory may not be enough",
            "Make batches smaller, or the limits of length; on a GPU the server can keep the model in fewer bits (--dtype int8 or int4).",
        ),
        Topic::NothingLearned => (
            "Nothing of these pairs is learned",
            "They are left out. Shorten them, or raise the limits of length.",
        ),
        Topic::EmptyQuestion => (
            "The question is empty",
            "The model would learn to say the answer to anything. Write a question, or delete the pair.",
        ),
        Topic::EmptyAnswer => (
            "The answer is empty",
            "The model would learn to say nothing. Write an answer, or delete the pair.",
        ),
        Topic::SpecialToken => (
            "The text holds a special token",
            "The tokenizer takes it for structure, not for text: positions and answers go wrong. Put a space into it, and it is text again.",
        ),
        Topic::LongAnswer => (
            "The answer is too long and is cut",
            "The end marker then follows in the middle of a sentence: the model learns to stop there. Shorten the answer, raise its limit, or leave such pairs out.",
        ),
        Topic::LongQuestion => (
            "The question is too long and is cut",
            "The model never sees the part that is cut off. Shorten the question, or raise its limit.",
        ),
        Topic::Duplicate => (
            "The same pair stands there more than once",
            "It weighs as much as its copies together. Delete the copies, unless you mean it so.",
        ),
        Topic::Leak => (
            "A held-out pair is also trained on",
            "The held-out loss then looks better than it is. Delete the copies.",
        ),
    }
}

fn chinese(topic: Topic) -> (&'static str, &'static str) {
    match topic {
        Topic::NoPairs => ("没有一对问答可以训练", "请添加问答对，或放宽长度上限。"),
        Topic::OtherModel => ("服务器已换了模型", "请刷新页面，以便按新的模型显示数据。"),
        Topic::OtherData => ("数据集已有改动", "请重新读取，使开始的正是您看到的数据。"),
        Topic::OtherAdapter => {
            ("所选的起点适配器属于别的模型", "请选择此模型的适配器，或全新的权重。")
        }
        Topic::NoAdapter => ("所选的起点适配器已不存在", "请另选一个，或选全新的权重。"),
        Topic::Option => ("有一个选项不可用", "请按此处的说明修改。"),
        Topic::Memory => (
            "内存可能不够",
            "请减小批次或长度上限；使用 GPU 时，服务器可用更少的位数保存模型（--dtype int8 或 int4）。",
        ),
        Topic::NothingLearned => {
            ("这些问答对什么也学不到", "它们不会参与训练。请缩短文本，或放宽长度上限。")
        }
        Topic::EmptyQuestion => {
            ("问题是空的", "模型会学成对什么都给出这个回答。请写上问题，或删除这一对。")
        }
        Topic::EmptyAnswer => ("回答是空的", "模型会学成什么都不说。请写上回答，或删除这一对。"),
        Topic::SpecialToken => (
            "文本中有特殊词元",
            "分词器会把它当作结构而不是文字，位置和回答都会出错。在其中加一个空格，它就又是文字了。",
        ),
        Topic::LongAnswer => (
            "回答过长，会被截断",
            "结束标记会出现在句子中间，模型就学会在那里停下。请缩短回答、放宽上限，或不用这些问答对。",
        ),
        Topic::LongQuestion => {
            ("问题过长，会被截断", "模型看不到被截去的部分。请缩短问题，或放宽上限。")
        }
        Topic::Duplicate => {
            ("同一对问答出现多次", "它的分量等于所有重复之和。若非有意，请删除多余的。")
        }
        Topic::Leak => ("留出的问答也参与了训练", "留出部分的损失会显得比实际好。请删除重复的。"),
    }
}

/// What there is to say of one finding beyond its topic; empty where that says it all.
pub fn detail(finding: &RunFinding, language: Language) -> String {
    let is_english = language == Language::English;
    match finding {
        RunFinding::Pair(Finding { kind, .. }) => of_pair(kind, is_english),
        RunFinding::NothingLearned { reason, .. } => reason.clone(),
        RunFinding::Leak { trained, .. } => like(*trained, is_english),
        RunFinding::NoPairs => String::new(),
        RunFinding::Option { option, wanted, found } if is_english => {
            format!("{option} must be {wanted}, found {found}")
        }
        RunFinding::Option { option, wanted, found } => {
            format!("{option} 应为 {wanted}，实为 {found}")
        }
        RunFinding::OtherData { previewed, found }
        | RunFinding::OtherModel { previewed, found } => {
            format!("{} ≠ {}", brief(previewed), brief(found))
        }
        RunFinding::OtherAdapter { adapter, made_for, found } => {
            format!("{adapter}: {} ≠ {}", brief(made_for), brief(found))
        }
        RunFinding::NoAdapter { adapter } => adapter.clone(),
        RunFinding::Memory { needed_bytes, free_bytes } => {
            let (needed, free) = (quantity::bytes(*needed_bytes), quantity::bytes(*free_bytes));
            if is_english {
                format!("about {needed} needed beside the model, {free} free")
            } else {
                format!("除模型外约需 {needed}，可用 {free}")
            }
        }
    }
}

fn of_pair(kind: &FindingKind, is_english: bool) -> String {
    match kind {
        FindingKind::EmptyQuestion | FindingKind::EmptyAnswer => String::new(),
        FindingKind::Duplicate { of } => like(*of, is_english),
        FindingKind::SpecialToken { token } => format!("{token} → {}", escaped(token)),
        FindingKind::LongQuestion { fit } | FindingKind::LongAnswer { fit } => {
            length(*fit, is_english)
        }
    }
}

fn like(pair: usize, is_english: bool) -> String {
    if is_english {
        format!("the same as pair {}", pair + 1)
    } else {
        format!("与第 {} 对相同", pair + 1)
    }
}

fn length(fit: Fit, is_english: bool) -> String {
    let Fit { tokens, limit } = fit;
    if is_english {
        format!("{tokens} tokens, {limit} fit")
    } else {
        format!("{tokens} 个词元，上限 {limit}")
    }
}

/// The index of the pair that a finding is about.
pub fn pair(finding: &RunFinding) -> Option<usize> {
    match finding {
        RunFinding::Pair(Finding { pair, .. }) | RunFinding::NothingLearned { pair, .. } => {
            Some(*pair)
        }
        RunFinding::Leak { held_out, .. } => Some(*held_out),
        _ => None,
    }
}

/// `Pair 3`.
pub fn pair_name(pair: usize, language: Language) -> String {
    match language {
        Language::English => format!("Pair {}", pair + 1),
        Language::Chinese => format!("第 {} 对", pair + 1),
    }
}

/// The start of a fingerprint, enough to tell two apart.
fn brief(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_token_is_shown_with_the_way_to_write_it() {
        let kind = FindingKind::SpecialToken { token: "[MASK]".into() };
        let finding = RunFinding::Pair(Finding { pair: 2, kind });

        assert_eq!(detail(&finding, Language::English), "[MASK] → [ MASK]");
        assert_eq!(pair(&finding).map(|it| pair_name(it, Language::Chinese)).unwrap(), "第 3 对");
    }

    #[test]
    fn a_cut_answer_says_how_long_it_is() {
        let kind = FindingKind::LongAnswer { fit: Fit { tokens: 620, limit: 500 } };
        let finding = RunFinding::Pair(Finding { pair: 0, kind });

        assert_eq!(detail(&finding, Language::English), "620 tokens, 500 fit");
        assert_eq!(detail(&finding, Language::Chinese), "620 个词元，上限 500");
    }
}
