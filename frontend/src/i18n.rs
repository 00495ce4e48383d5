//! The page's words, in Chinese and English; the choice is remembered.
//!
//! A word that one language lacks does not compile: each page's words are one struct, given twice.

pub mod chat;
pub mod dataset;
pub mod evaluate;
pub mod frame;
pub mod history;
pub mod inspect;
pub mod mask;
pub mod models;
pub mod part;
pub mod quantity;
pub mod remark;
pub mod step;
pub mod token;
pub mod train;
pub mod trouble;

use leptos::prelude::*;

use crate::remembered;

const REMEMBERED_AS: &str = "weft-language";

/// The languages of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

/// All that the page says in one language.
#[derive(Debug)]
pub struct Words {
    pub frame: frame::Words,
    pub history: history::Words,
    pub inspect: inspect::Words,
    pub dataset: dataset::Words,
    pub train: train::Words,
    pub evaluate: evaluate::Words,
    pub chat: chat::Words,
    pub models: models::Words,
}

impl Language {
    /// As browsers and HTML name it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// From a browser's name for it, such as `zh-TW` or `en-GB`.
    fn from_tag(tag: &str) -> Self {
        if tag.starts_with("zh") { Self::Chinese } else { Self::English }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    /// What the page says in it.
    pub fn words(self) -> &'static Words {
        match self {
            Self::English => &Words {
                frame: frame::ENGLISH,
                history: history::ENGLISH,
                inspect: inspect::ENGLISH,
                dataset: dataset::ENGLISH,
                train: train::ENGLISH,
                evaluate: evaluate::ENGLISH,
                chat: chat::ENGLISH,
                models: models::ENGLISH,
            },
            Self::Chinese => &Words {
                frame: frame::CHINESE,
                history: history::CHINESE,
                inspect: inspect::CHINESE,
                dataset: dataset::CHINESE,
                train: train::CHINESE,
                evaluate: evaluate::CHINESE,
                chat: chat::CHINESE,
                models: models::CHINESE,
            },
        }
    }
}

/// The language of the page; setting it changes the page and is remembered.
pub fn provide() -> RwSignal<Language> {
    let remembered = remembered::read(REMEMBERED_AS);
    let tag = remembered.or_else(|| window().navigator().language()).unwrap_or_default();
    let language = RwSignal::new(Language::from_tag(&tag));
    provide_context(language);

    Effect::watch(
        move || language.get(),
        |language, _, _| remembered::write(REMEMBERED_AS, language.tag()),
        false,
    );
    Effect::new(move || {
        if let Some(html) = document().document_element() {
            let _ = html.set_attribute("lang", language.get().tag());
        }
    });
    language
}

/// The language of the page.
pub fn use_language() -> Signal<Language> {
    match use_context::<RwSignal<Language>>() {
        Some(language) => language.into(),
        None => Signal::stored(Language::English),
    }
}

/// What the page says, in its language.
pub fn use_words() -> Signal<&'static Words> {
    let language = use_language();
    Signal::derive(move || language.get().words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chinese_variant_is_chinese_and_the_rest_english() {
        assert_eq!(Language::from_tag("zh-TW"), Language::Chinese);
        assert_eq!(Language::from_tag("en-GB"), Language::English);
        assert_eq!(Language::from_tag(""), Language::English);
    }

    #[test]
    fn a_remembered_language_is_found_again() {
        for language in [Language::English, Language::Chinese] {
            assert_eq!(Language::from_tag(language.tag()), language);
        }
    }
}
