//! The frame: header, the page, footer.

use leptos::prelude::*;

use crate::{components::header::Header, i18n, pages::inspect::InspectPage, theme};

/// Puts the page in the place of the notice that `index.html` shows until then.
pub fn mount() {
    if let Some(notice) = document().get_element_by_id("loading") {
        notice.remove();
    }
    leptos::mount::mount_to_body(App);
}

#[component]
pub fn App() -> impl IntoView {
    i18n::provide();
    theme::provide();
    let words = i18n::use_words();

    view! {
        <a class="skip" href="#content">{move || words.get().frame.skip}</a>
        <Header />
        <main id="content" tabindex="-1">
            <InspectPage />
        </main>
        <footer class="footer">{move || words.get().frame.footer}</footer>
    }
}
