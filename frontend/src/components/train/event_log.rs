//! The lines of a run's log, newest first.

use js_sys::Date;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use weft_shared::api::job::JobEvent;

use crate::{
    i18n::{self, train::events::line},
    state::train::run_log::RunLog,
};

#[component]
pub fn EventLog(#[prop(into)] log: Signal<RunLog>) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let lines = move || log.with(|log| log.lines().rev().cloned().collect::<Vec<_>>());
    let is_empty = Memo::new(move |_| log.with(|log| log.lines().next().is_none()));
    view! {
        <section class="event-log" aria-labelledby="log-title">
            <h3 id="log-title">{move || words.get().train.run.log}</h3>
            <Show
                when=move || !is_empty.get()
                fallback=move || view! { <p class="quiet-text">{move || words.get().train.run.no_log}</p> }
            >
                // A keyboard can scroll it.
                <ol class="log-lines mono" tabindex="0" aria-labelledby="log-title" data-testid="train-log">
                    <For each=lines key=|event| event.seq let:event>
                        <li>
                            <time>{clock(&event)}</time>
                            " "
                            {move || line(&event.kind, language.get())}
                        </li>
                    </For>
                </ol>
            </Show>
        </section>
    }
}

/// The time of day where the browser is.
fn clock(event: &JobEvent) -> String {
    let date = Date::new(&JsValue::from_f64(event.at_ms as f64));
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}
