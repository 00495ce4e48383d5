//! The words around what was said before a question.

#[derive(Debug)]
pub struct Words {
    pub title: &'static str,
    pub system: &'static str,
    pub system_hint: &'static str,
    pub turns: &'static str,
    pub turn: &'static str,
    pub question: &'static str,
    pub answer: &'static str,
    pub add_turn: &'static str,
    pub delete_turn: &'static str,
}

pub const ENGLISH: Words = Words {
    title: "Said before",
    system: "System text",
    system_hint: "An instruction for the whole conversation",
    turns: "Said before the question",
    turn: "Turn",
    question: "Earlier question",
    answer: "Earlier answer",
    add_turn: "Add a turn",
    delete_turn: "Delete turn",
};

pub const CHINESE: Words = Words {
    title: "此前",
    system: "系统文本",
    system_hint: "对整个对话的要求",
    turns: "此前的对话",
    turn: "第几轮",
    question: "此前的问题",
    answer: "此前的回答",
    add_turn: "添加一轮",
    delete_turn: "删除此轮",
};
