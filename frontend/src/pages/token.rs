//! In the place of every page, where the server wants a token.

use leptos::{prelude::*, task::spawn_local};

use crate::{api, components::notice::Notice, i18n, server::use_server};

const UNAUTHORIZED: u16 = 401;

/// Whether the server has refused to answer without its token.
pub fn is_wanted() -> Signal<bool> {
    let server = use_server();
    Signal::derive(move || {
        server.trouble.with(|it| it.as_ref().and_then(api::CallError::status)) == Some(UNAUTHORIZED)
    })
}

#[component]
pub fn TokenPage() -> impl IntoView {
    let words = i18n::use_words();
    let token = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<String>);
    let enter = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        spawn_local(async move {
            match api::session::open(token.get_untracked()).await {
                // Everything is asked for anew.
                Ok(()) => drop(window().location().reload()),
                Err(error) if error.status() == Some(UNAUTHORIZED) => {
                    trouble.set(Some(words.get_untracked().frame.token_wrong.to_owned()));
                }
                Err(error) => trouble.set(Some(error.to_string())),
            }
        });
    };
    view! {
        <div class="page">
            <header class="title">
                <h1>{move || words.get().frame.token_title}</h1>
                <p class="lead">{move || words.get().frame.token_lead}</p>
            </header>
            {move || trouble.get().map(|what| view! { <Notice what=Signal::stored(what) /> })}
            <form class="token" on:submit=enter>
                <label>
                    <span>{move || words.get().frame.token}</span>
                    <input
                        type="password"
                        autocomplete="current-password"
                        data-testid="token"
                        prop:value=token
                        on:input:target=move |event| token.set(event.target().value())
                    />
                </label>
                <button class="button" type="submit" data-testid="token-enter">
                    {move || words.get().frame.enter}
                </button>
            </form>
        </div>
    }
}
