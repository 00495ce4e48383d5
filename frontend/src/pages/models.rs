//! Models: what is loaded, the adapters that were made for it, and how to use them elsewhere.

use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::adapter::AdapterInfo;

use crate::{
    api::{self, CallError},
    components::{
        markdown::{Code, Markdown},
        models::{adapter_card::AdapterCard, elsewhere::PUBLISHED, loaded::Loaded},
        notice::Notice,
    },
    i18n::{self, trouble},
    server::{Server, use_server},
    state::markdown::Lines,
};

#[component]
pub fn ModelsPage() -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let server = use_server();
    ask_again(server);

    let failed = RwSignal::new(None::<CallError>);
    let trouble = move || {
        let error = failed.get().or_else(|| server.trouble.get())?;
        let what = Signal::derive(move || trouble::explain(&error, language.get()));
        Some(view! { <Notice what /> })
    };
    let card =
        Memo::new(move |_| server.model.with(|it| it.as_ref().and_then(|it| it.card.clone())));
    let loaded = move || {
        match server.model.get() {
        Some(model) => view! { <Loaded model /> }.into_any(),
        None if server.trouble.with(Option::is_some) => view! {
            <button class="button" type="button" data-testid="models-retry" on:click=move |_| ask_again(server)>
                {move || words.get().models.retry}
            </button>
        }
        .into_any(),
        None => view! { <p class="quiet-text">{words.get().models.asking}</p> }.into_any(),
    }
    };

    view! {
        <div class="page models">
            <header class="title">
                <h1>{move || words.get().models.title}</h1>
                <p class="lead">{move || words.get().models.lead}</p>
            </header>
            {trouble}
            <div class="models-grid">
                <div class="stack">
                    {loaded}
                    <Adapters server failed />
                </div>
                <div class="stack">
                    <Show when=move || card.with(Option::is_some)>
                        <section class="sheet" aria-labelledby="models-card-title" data-testid="models-card">
                            <h2 id="models-card-title">{move || words.get().models.card}</h2>
                            <Markdown text=Signal::derive(move || card.get().unwrap_or_default()) lines=Lines::Flowing />
                        </section>
                    </Show>
                    <section class="sheet" aria-labelledby="models-serve-title" data-testid="models-serve">
                        <h2 id="models-serve-title">{move || words.get().models.serve}</h2>
                        <p>{move || words.get().models.serve_help}</p>
                        <Code language="sh" text=format!("weft serve --model {PUBLISHED}") />
                        <p class="quiet-text">{move || words.get().models.serve_needs}</p>
                    </section>
                </div>
            </div>
        </div>
    }
}

#[component]
fn Adapters(server: Server, failed: RwSignal<Option<CallError>>) -> impl IntoView {
    let words = i18n::use_words();
    // What the command line and Python call the model: the small one is in the program, others are published.
    let model = Memo::new(move |_| {
        let is_small = server.model.with(|it| it.as_ref().is_some_and(|it| it.card.is_some()));
        let name = server.model.with(|it| it.as_ref().map(|it| it.name.clone()));
        if is_small { (name.unwrap_or_default(), false) } else { (PUBLISHED.to_owned(), true) }
    });
    let change = move |work: std::pin::Pin<Box<dyn Future<Output = Result<(), CallError>>>>| {
        failed.set(None);
        spawn_local(async move {
            failed.set(work.await.err());
            server.refresh_adapters();
        });
    };
    let card = move |adapter: AdapterInfo| {
        let (model, is_published) = model.get();
        let (old, deleted) = (adapter.name.clone(), adapter.name.clone());
        let rename = move |name: String| {
            let old = old.clone();
            change(Box::pin(async move { api::adapters::rename(&old, name).await.map(drop) }));
        };
        let delete = move |()| {
            let name = deleted.clone();
            change(Box::pin(async move { api::adapters::delete(&name).await }));
        };
        view! {
            <AdapterCard
                download=api::adapters::download_url(&adapter.name)
                adapter
                model
                is_published
                on_rename=rename
                on_delete=delete
            />
        }
    };
    let is_empty = move || server.has_adapters.get() && server.adapters.with(Vec::is_empty);
    view! {
        <section aria-labelledby="models-adapters-title">
            <h2 id="models-adapters-title">{move || words.get().models.adapters}</h2>
            <Show when=is_empty>
                <div class="sheet empty" data-testid="models-empty">
                    <p>{move || words.get().models.none}</p>
                    <p class="quiet-text">{move || words.get().models.none_help}</p>
                    <p>
                        <a href="/dataset">{move || words.get().models.to_dataset}</a>
                        " · "
                        <a href="/train">{move || words.get().models.to_train}</a>
                    </p>
                </div>
            </Show>
            <ul class="adapters">
                <For
                    each=move || {
                        let model = model.get();
                        server.adapters.get().into_iter().map(move |it| (it, model.clone())).collect::<Vec<_>>()
                    }
                    key=|(it, model)| (it.name.clone(), it.created_ms, it.is_usable, model.clone())
                    children=move |(it, _)| card(it)
                />
            </ul>
        </section>
    }
}

/// A run may have ended, or another page renamed something, since the server was last asked.
fn ask_again(server: Server) {
    server.refresh_adapters();
    if server.model.with_untracked(Option::is_none) {
        spawn_local(async move {
            // The trouble is told.
            let _ = server.refresh_model().await;
        });
    }
}
