//! What to notice about a sample, and what to do about it.

use super::Language;
use crate::state::inspect::Remark;

/// A remark in a sentence or two.
pub fn explain(remark: &Remark, language: Language) -> String {
    match language {
        Language::English => english(remark),
        Language::Chinese => chinese(remark),
    }
}

fn english(remark: &Remark) -> String {
    match remark {
        Remark::EmptyAnswer => {
            "There is no answer yet: only <eop> would be learned, an answer of silence.".into()
        }
        Remark::QuestionCut { lost, at_front: false } => format!(
            "The question is too long: its last {lost} tokens are cut. Raise the question's limit, or shorten it."
        ),
        Remark::QuestionCut { lost, at_front: true } => format!(
            "The question is too long: its first {lost} tokens are cut, the template before all. Raise the question's limit, or shorten it."
        ),
        Remark::AnswerCut { lost, at_front: false } => format!(
            "The answer is too long: its last {lost} tokens are cut and <eop> still follows, so the model learns to stop in the middle. Raise the answer's limit, or shorten it."
        ),
        Remark::AnswerCut { lost, at_front: true } => format!(
            "The answer is too long: its first {lost} tokens are cut, so the model learns to begin in the middle. Raise the answer's limit, or shorten it."
        ),
        Remark::SpecialInText(piece) => format!(
            "{piece} in the text is read as the special token itself, which moves positions and mask. If it should be text, write a space into it: {}.",
            escaped(piece)
        ),
        Remark::Dropped { question_over, answer_over } => {
            let parts = [("question", question_over), ("answer", answer_over)];
            let over: Vec<_> = parts
                .into_iter()
                .filter(|(_, over)| **over > 0)
                .map(|(part, over)| format!("the {part} has {over} tokens too many"))
                .collect();
            format!(
                "No sample: {}, and pairs that are too long are dropped. Raise the limits, or cut instead.",
                over.join(", ")
            )
        }
        Remark::NoRoomForQuestion => {
            "No sample: the question's limit leaves no room beside the separator. Raise it.".into()
        }
        Remark::NoRoomForAnswer => "No sample: the answer's limit leaves no room. Raise it.".into(),
        Remark::Other(reason) => format!("No sample: {reason}."),
    }
}

fn chinese(remark: &Remark) -> String {
    match remark {
        Remark::EmptyAnswer => "还没有回答：模型只会学到 <eop>，也就是沉默。".into(),
        Remark::QuestionCut { lost, at_front: false } => {
            format!("问题过长：末尾 {lost} 个词元被截去。请提高问题的上限，或缩短问题。")
        }
        Remark::QuestionCut { lost, at_front: true } => {
            format!(
                "问题过长：开头 {lost} 个词元被截去，模板首当其冲。请提高问题的上限，或缩短问题。"
            )
        }
        Remark::AnswerCut { lost, at_front: false } => format!(
            "回答过长：末尾 {lost} 个词元被截去，其后仍接 <eop>，模型会学到话说一半就停。请提高回答的上限，或缩短回答。"
        ),
        Remark::AnswerCut { lost, at_front: true } => format!(
            "回答过长：开头 {lost} 个词元被截去，模型会学到从半句话开始。请提高回答的上限，或缩短回答。"
        ),
        Remark::SpecialInText(piece) => format!(
            "文本中的 {piece} 会被当作特殊词元本身，位置和掩码随之改变。若它只是普通文字，请在其中加一个空格：{}。",
            escaped(piece)
        ),
        Remark::Dropped { question_over, answer_over } => {
            let parts = [("问题", question_over), ("回答", answer_over)];
            let over: Vec<_> = parts
                .into_iter()
                .filter(|(_, over)| **over > 0)
                .map(|(part, over)| format!("{part}多出 {over} 个词元"))
                .collect();
            format!(
                "没有样本：{}，而过长的问答对会被丢弃。请提高上限，或改为截断。",
                over.join("，")
            )
        }
        Remark::NoRoomForQuestion => {
            "没有样本：问题的上限除去分隔文字后已没有余地，请提高上限。".into()
        }
        Remark::NoRoomForAnswer => "没有样本：回答的上限没有余地，请提高上限。".into(),
        Remark::Other(reason) => format!("没有样本：{reason}。"),
    }
}

/// A name that is no longer taken for the token.
fn escaped(piece: &str) -> String {
    let mut characters = piece.chars();
    let first: String = characters.next().into_iter().collect();
    format!("{first} {}", characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_pair_names_the_part_that_is_too_long() {
        let remark = Remark::Dropped { question_over: 0, answer_over: 3 };

        let words = explain(&remark, Language::English);

        assert!(words.contains("the answer has 3 tokens too many"), "{words}");
        assert!(!words.contains("question has"), "{words}");
    }

    #[test]
    fn the_way_to_escape_is_shown() {
        let words = explain(&Remark::SpecialInText("<sop>".into()), Language::English);

        assert!(words.ends_with("< sop>."), "{words}");
    }
}
