//! The two choices that hold for every page: language and theme.

use leptos::prelude::*;

use crate::{
    i18n::{self, Language},
    theme::Theme,
};

#[component]
pub fn LanguageSwitch() -> impl IntoView {
    let words = i18n::use_words();
    let language = use_context::<RwSignal<Language>>();
    let switch = move |_| {
        if let Some(language) = language {
            language.update(|language| *language = language.other());
        }
    };
    view! {
        <button
            class="switch"
            type="button"
            data-testid="language"
            lang=move || i18n::use_language().get().other().tag()
            aria-label=move || words.get().frame.language_label
            on:click=switch
        >
            {move || words.get().frame.language}
        </button>
    }
}

#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let words = i18n::use_words();
    let theme = use_context::<RwSignal<Theme>>();
    let switch = move |_| {
        if let Some(theme) = theme {
            theme.update(|theme| *theme = theme.other());
        }
    };
    let is_dark = move || theme.is_some_and(|theme| theme.get() == Theme::Dark);
    let label = move || {
        let frame = &words.get().frame;
        if is_dark() { frame.to_light } else { frame.to_dark }
    };
    view! {
        <button
            class="switch icon"
            type="button"
            data-testid="theme"
            aria-label=label
            title=label
            on:click=switch
        >
            <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
                <Show
                    when=is_dark
                    fallback=|| view! { <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" /> }
                >
                    <circle cx="12" cy="12" r="4" />
                    <path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />
                </Show>
            </svg>
        </button>
    }
}
