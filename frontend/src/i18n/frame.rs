//! The words of the frame around every page.

#[derive(Debug)]
pub struct Words {
    pub skip: &'static str,
    pub pages: &'static str,
    pub inspect: &'static str,
    /// On the button to the other language, in that language.
    pub language: &'static str,
    pub language_label: &'static str,
    pub to_light: &'static str,
    pub to_dark: &'static str,
    pub footer: &'static str,
}

pub const ENGLISH: Words = Words {
    skip: "Skip to the content",
    pages: "Pages",
    inspect: "Inspect",
    language: "中文",
    language_label: "切换到中文",
    to_light: "Light theme",
    to_dark: "Dark theme",
    footer: "Tokenized in this browser. No text leaves it.",
};

pub const CHINESE: Words = Words {
    skip: "跳到正文",
    pages: "页面",
    inspect: "检视",
    language: "English",
    language_label: "Switch to English",
    to_light: "浅色主题",
    to_dark: "深色主题",
    footer: "分词在本浏览器内完成，文本不会离开这里。",
};
