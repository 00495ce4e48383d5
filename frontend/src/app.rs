//! The frame: header, the page of the address, footer.

use leptos::prelude::*;
use leptos_router::{
    components::{Route, Router, Routes},
    path,
};

use crate::{
    components::header::Header,
    curating, encoding, i18n,
    pages::{
        chat::{self, ChatPage},
        dataset::DatasetPage,
        evaluate::EvaluatePage,
        inspect::{self, InspectPage},
        models::ModelsPage,
        token::{self, TokenPage},
        train::TrainPage,
    },
    server, theme, timing, tokenizing,
};

/// Puts the page in the place of the notice that `index.html` shows until then.
pub fn mount() {
    if let Some(notice) = document().get_element_by_id("loading") {
        notice.remove();
    }
    leptos::mount::mount_to_body(App);
    timing::mark("weft-interactive");
}

#[component]
pub fn App() -> impl IntoView {
    i18n::provide();
    theme::provide();
    server::provide();
    tokenizing::provide();
    encoding::provide();
    inspect::provide();
    chat::provide();
    curating::provide();
    let words = i18n::use_words();
    let wants_token = token::is_wanted();

    view! {
        <Router>
            <a class="skip" href="#content">{move || words.get().frame.skip}</a>
            <Header />
            <main id="content" tabindex="-1">
                <Show when=move || wants_token.get()>
                    <TokenPage />
                </Show>
                <div hidden=wants_token>
                <Routes fallback=move || view! { <p class="page">{words.get().frame.not_found}</p> }>
                    <Route path=path!("/") view=InspectPage />
                    <Route path=path!("/inspect") view=InspectPage />
                    <Route path=path!("/dataset") view=DatasetPage />
                    <Route path=path!("/train") view=TrainPage />
                    <Route path=path!("/evaluate") view=EvaluatePage />
                    <Route path=path!("/chat") view=ChatPage />
                    <Route path=path!("/models") view=ModelsPage />
                </Routes>
                </div>
            </main>
            <footer class="footer">{move || words.get().frame.footer}</footer>
        </Router>
    }
}
