//! The header: name, pages, language and theme.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::switches::{LanguageSwitch, ThemeSwitch};
use crate::i18n;

#[component]
pub fn Header() -> impl IntoView {
    let words = i18n::use_words();
    let path = use_location().pathname;
    let current = move |page: &str| {
        let path = path.get();
        let is_here = path == page || (path == "/" && page == "/inspect");
        is_here.then_some("page")
    };
    view! {
        <header class="header">
            <a href="/inspect" class="brand">
                <WovenMark />
                "Weft"
            </a>
            <nav class="pages" aria-label=move || words.get().frame.pages>
                <a href="/inspect" aria-current=move || current("/inspect") data-testid="nav-inspect">
                    {move || words.get().frame.inspect}
                </a>
                <a href="/dataset" aria-current=move || current("/dataset") data-testid="nav-dataset">
                    {move || words.get().frame.dataset}
                </a>
                <a href="/train" aria-current=move || current("/train") data-testid="nav-train">
                    {move || words.get().frame.train}
                </a>
                <a href="/evaluate" aria-current=move || current("/evaluate") data-testid="nav-evaluate">
                    {move || words.get().frame.evaluate}
                </a>
                <a href="/chat" aria-current=move || current("/chat") data-testid="nav-chat">
                    {move || words.get().frame.chat}
                </a>
                <a href="/models" aria-current=move || current("/models") data-testid="nav-models">
                    {move || words.get().frame.models}
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
