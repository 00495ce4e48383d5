//! The parts of a sample: what they are called, and why their tokens are learned or not.

use weft_shared::sample::Part;

use super::Language;

/// What a part is called.
pub fn name(part: Part, language: Language) -> String {
    match language {
        Language::English => english(part),
        Language::Chinese => chinese(part),
    }
}

/// Which label its tokens have, and why.
pub fn rule(part: Part, language: Language) -> String {
    let words = match language {
        Language::English => match part {
            Part::Template => "the words around every question. Read, not learned: label −100.",
            Part::System => "put before the first question. Read, not learned: label −100.",
            Part::EarlierQuestion(_) | Part::EarlierAnswer(_) => {
                "said before. Read, not learned: label −100."
            }
            Part::Question => "what is asked. Read, not learned: label −100.",
            Part::Separator => "ends the question and is never cut. Label −100.",
            Part::Opening => {
                "added by the tokenizer, never cut and not counted in the lengths. Label −100."
            }
            Part::Answer => "learned: its label is its own id, which the token before it predicts.",
            Part::End => {
                "learned, so that the model knows when to stop. It follows even a cut answer."
            }
        },
        Language::Chinese => match part {
            Part::Template => "每个问题外面的固定文字。只读不学：标签为 −100。",
            Part::System => "放在第一个问题之前。只读不学：标签为 −100。",
            Part::EarlierQuestion(_) | Part::EarlierAnswer(_) => {
                "之前说过的话。只读不学：标签为 −100。"
            }
            Part::Question => "所提的问题。只读不学：标签为 −100。",
            Part::Separator => "问题到此结束，从不截断。标签为 −100。",
            Part::Opening => "由分词器加入，从不截断，也不计入长度。标签为 −100。",
            Part::Answer => "要学的内容：标签就是它自己的编号，由前一个词元来预测。",
            Part::End => "要学：模型由此知道何时停下。回答即使被截断，后面仍跟着它。",
        },
    };
    words.to_owned()
}

fn english(part: Part) -> String {
    match part {
        Part::Template => "Template".into(),
        Part::System => "Instruction".into(),
        Part::EarlierQuestion(turn) => format!("Turn {}, question", turn + 1),
        Part::EarlierAnswer(turn) => format!("Turn {}, answer", turn + 1),
        Part::Question => "Question".into(),
        Part::Separator => "Separator".into(),
        Part::Opening => "Opening".into(),
        Part::Answer => "Answer".into(),
        Part::End => "End".into(),
    }
}

fn chinese(part: Part) -> String {
    match part {
        Part::Template => "模板".into(),
        Part::System => "系统指令".into(),
        Part::EarlierQuestion(turn) => format!("第 {} 轮提问", turn + 1),
        Part::EarlierAnswer(turn) => format!("第 {} 轮回答", turn + 1),
        Part::Question => "问题".into(),
        Part::Separator => "分隔".into(),
        Part::Opening => "起始".into(),
        Part::Answer => "回答".into(),
        Part::End => "结束".into(),
    }
}
