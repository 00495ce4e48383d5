//! The header: name, pages, language and theme.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::switches::{LanguageSwitch, ThemeSwitch};
use crate::i18n::{self, frame::Words};

#[component]
pub fn Header() -> impl IntoView {
    let words = i18n::use_words();
    let path = use_location().pathname;
    let current = move |page: &str| {
        let path = path.get();
        let is_here = path == page || (path == "/" && page == "/inspect");
        is_here.then_some("page")
    };
    let link =
        move |page: &'static str, test_id: &'static str, name: fn(&Words) -> &'static str| {
            view! {
                <a href=page aria-current=move || current(page) data-testid=test_id>
                    {move || name(&words.get().frame)}
                </a>
            }
        };
    view! {
        <header class="header">
            <a href="/inspect" class="brand">
                <WovenMark />
                "Weft"
            </a>
            <nav class="pages" aria-label=move || words.get().frame.pages>
                {link("/inspect", "nav-inspect", |words| words.inspect)}
                {link("/dataset", "nav-dataset", |words| words.dataset)}
                {link("/train", "nav-train", |words| words.train)}
                {link("/evaluate", "nav-evaluate", |words| words.evaluate)}
                {link("/chat", "nav-chat", |words| words.chat)}
                {link("/models", "nav-models", |words| words.models)}
            </nav>
            <div class="switches">
                <LanguageSwitch />
                <ThemeSwitch />
            </div>
        </header>
    }
}

/// Two threads over and under two others.
#[component]
fn WovenMark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <g class="warp">
                <path d="M8 2v20" />
                <path d="M16 2v20" />
            </g>
            <g class="weft">
                <path d="M2 8h3.5M10.5 8H22" />
                <path d="M2 16h11.5M18.5 16H22" />
            </g>
        </svg>
    }
}
