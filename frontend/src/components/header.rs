//! The header: name, pages, language and theme.

use leptos::prelude::*;

use super::switches::{LanguageSwitch, ThemeSwitch};
use crate::i18n;

#[component]
pub fn Header() -> impl IntoView {
    let words = i18n::use_words();
    view! {
        <header class="header">
            <a class="brand" href="#inspect">
                <WovenMark />
                "Weft"
            </a>
            <nav class="pages" aria-label=move || words.get().frame.pages>
                <a href="#inspect" aria-current="page" data-testid="nav-inspect">
                    {move || words.get().frame.inspect}
                </a>
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
