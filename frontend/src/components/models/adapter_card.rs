//! One adapter: where it comes from, and what can be done with it.

use leptos::prelude::*;
use weft_shared::api::adapter::AdapterInfo;

use super::{elsewhere::Elsewhere, rename::Rename};
use crate::{
    components::{delete_button::DeleteButton, moment::moment},
    i18n::{self, quantity::bytes},
    links,
    state::models::short,
};

#[component]
pub fn AdapterCard(
    adapter: AdapterInfo,
    /// Where its file is.
    download: String,
    /// As `weft --model` wants it.
    model: String,
    is_published: bool,
    #[prop(into)] on_rename: Callback<String>,
    #[prop(into)] on_delete: Callback<()>,
) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let AdapterInfo { name, created_ms, is_usable, .. } = adapter.clone();
    let is_renamed = RwSignal::new(false);
    let (chat, evaluate) = (links::chat_with(&name), links::evaluate(&name));
    let made_for = short(&adapter.model_fingerprint);
    let stored_name = StoredValue::new(name.clone());
    let heading = move || view! { <h3>{stored_name.get_value()}</h3> };
    view! {
        <li class="adapter sheet" data-testid="models-adapter" data-value=name>
            <div class="bar">
                <Show when=move || is_renamed.get() fallback=heading>
                    <Rename
                        name=stored_name.get_value()
                        on_rename=move |name| {
                            is_renamed.set(false);
                            on_rename.run(name);
                        }
                        on_cancel=move |()| is_renamed.set(false)
                    />
                </Show>
                <span class="hint">{move || moment(created_ms, language.get())}</span>
            </div>
            <Show when=move || !is_usable>
                <p class="unusable" data-testid="models-unusable">
                    {move || words.get().models.unusable}
                    " "
                    <span class="mono">{made_for.clone()}</span>
                </p>
            </Show>
            <Origin adapter />
            <div class="doings">
                <Show when=move || is_usable>
                    <a class="button" href=chat.clone() data-testid="models-chat">
                        {move || words.get().models.chat}
                    </a>
                    <a class="quiet" href=evaluate.clone() data-testid="models-evaluate">
                        {move || words.get().models.evaluate}
                    </a>
                </Show>
                // The router leaves a download to the browser.
                <a class="quiet" href=download download="" rel="external" data-testid="models-download">
                    {move || words.get().models.download}
                </a>
                <button class="quiet" type="button" data-testid="models-rename" on:click=move |_| is_renamed.update(|it| *it = !*it)>
                    {move || words.get().models.rename}
                </button>
                <DeleteButton
                    test_id="models-delete"
                    label=Signal::derive(move || words.get().models.delete)
                    question=Signal::derive(move || words.get().models.delete_sure)
                    keep=Signal::derive(move || words.get().models.cancel)
                    on_delete
                />
            </div>
            <Elsewhere adapter=stored_name.get_value() model is_published />
        </li>
    }
}

/// The run, the data, the shape and the size.
#[component]
fn Origin(adapter: AdapterInfo) -> impl IntoView {
    let words = i18n::use_words();
    let AdapterInfo { job, dataset_name, dataset_version, .. } = adapter;
    let run = move || match job {
        Some(job) => format!("{} {job}", words.get().models.run_number),
        None => words.get().models.no_run.to_owned(),
    };
    let data = dataset_name.map(|name| {
        let version = move || {
            dataset_version.map(|version| format!(" · {} {version}", words.get().models.version))
        };
        view! {
            <div>
                <dt>{move || words.get().models.data}</dt>
                <dd>{name} {version}</dd>
            </div>
        }
    });
    let shape = format!("r {}, α {}", adapter.r, adapter.alpha);
    view! {
        <dl class="facts-list">
            <div>
                <dt>{move || words.get().models.run}</dt>
                <dd>{run}</dd>
            </div>
            {data}
            <div>
                <dt>{move || words.get().models.shape}</dt>
                <dd>{shape} <small class="mono">{adapter.target_modules.join(", ")}</small></dd>
            </div>
            <div>
                <dt>{move || words.get().models.size}</dt>
                <dd>{bytes(adapter.size_bytes)}</dd>
            </div>
        </dl>
    }
}
