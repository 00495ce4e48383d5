//! Light or dark: as the system has it, until a person chooses.
//!
//! `static/early.js` does the same before the first paint, so that the page never flashes.

use leptos::prelude::*;

use crate::remembered;

const REMEMBERED_AS: &str = "weft-theme";

/// How the page looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// As written in the page and remembered.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.name() == name)
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Light => Self::Dark,
            Self::Dark => Self::Light,
        }
    }
}

/// The theme of the page; setting it changes the page and is remembered.
pub fn provide() -> RwSignal<Theme> {
    let chosen = remembered::read(REMEMBERED_AS).and_then(|name| Theme::from_name(&name));
    let theme = RwSignal::new(chosen.unwrap_or_else(of_the_system));
    provide_context(theme);

    Effect::watch(
        move || theme.get(),
        |theme, _, _| {
            remembered::write(REMEMBERED_AS, theme.name());
            set_attribute(theme.name());
        },
        false,
    );
    set_attribute(theme.get_untracked().name());
    theme
}

fn of_the_system() -> Theme {
    let query = window().match_media("(prefers-color-scheme: dark)");
    if query.ok().flatten().is_some_and(|query| query.matches()) {
        Theme::Dark
    } else {
        Theme::Light
    }
}

fn set_attribute(name: &str) {
    if let Some(html) = document().document_element() {
        let _ = html.set_attribute("data-theme", name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_is_remembered_under_its_name() {
        for theme in [Theme::Light, Theme::Dark] {
            assert_eq!(Theme::from_name(theme.name()), Some(theme));
            assert_eq!(theme.other().other(), theme);
        }
    }
}
