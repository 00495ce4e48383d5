//! Versions: kept states of the dataset, to compare with and to go back to.

use leptos::{prelude::*, task::spawn_local};
use weft_shared::api::dataset::Version;

use crate::{
    api::CallError,
    components::ask_name::AskName,
    curating::use_curating,
    i18n::{self, trouble::explain},
    state::dataset::{change::Extent, editor::Editor},
};

#[component]
pub(super) fn Versions() -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let language = i18n::use_language();
    let versions = RwSignal::new(Vec::<Version>::new());
    let trouble = RwSignal::new(None::<CallError>);
    let is_asking = RwSignal::new(false);
    let load = move || {
        spawn_local(async move {
            match curating.versions().await {
                // The page may be left by now.
                Ok(found) => {
                    trouble.try_set(None);
                    versions.try_set(found);
                }
                Err(reason) => {
                    trouble.try_set(Some(reason));
                }
            }
        });
    };
    let id = Memo::new(move |_| curating.editor.with(Editor::id));
    Effect::new(move || {
        id.with(|_| ());
        load();
    });
    let is_saved = Memo::new(move |_| curating.editor.with(|it| it.saving().unsaved() == 0));
    let keep = move |note: String| {
        is_asking.set(false);
        spawn_local(async move {
            if curating.keep_version(note).await.is_some() {
                load();
            }
        });
    };
    let label = Signal::derive(move || words.get().dataset.version_note);
    let action = Signal::derive(move || words.get().dataset.keep);

    view! {
        <section class="panel" aria-labelledby="versions-title">
            <div class="bar">
                <h2 id="versions-title">{move || words.get().dataset.versions}</h2>
                <button
                    class="quiet"
                    type="button"
                    data-testid="dataset-keep-version"
                    disabled=move || !is_saved.get()
                    on:click=move |_| is_asking.set(true)
                >
                    {move || words.get().dataset.keep_version}
                </button>
            </div>
            <p class="hint">{move || words.get().dataset.versions_help}</p>
            <Show when=move || is_asking.get()>
                <AskName
                    label
                    test_id="dataset-version-note"
                    action
                    may_be_empty=true
                    on_name=keep
                    on_cancel=move |()| is_asking.set(false)
                />
            </Show>
            {move || trouble
                    .get()
                    .map(|error| {
                        let reason = explain(&error, language.get());
                        view! { <p class="hint" role="alert">{reason}</p> }
                    })}
            <ul class="versions">
                <For each=move || versions.get() key=|version| version.number let:version>
                    <VersionItem version />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn VersionItem(version: Version) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let curating = use_curating();
    let extent = RwSignal::new(None::<Extent>);
    let number = version.number;
    let compare = move |_| {
        spawn_local(async move {
            let change = curating.change_to(number).await;
            // What has happened since, not what would lead back.
            extent.try_set(change.map(|change| change.inverse().extent()));
        });
    };
    let restore = move |_| {
        curating.close();
        spawn_local(async move {
            if let Some(change) = curating.change_to(number).await {
                curating.change(change);
            }
        });
    };
    let date = move || {
        let date = js_sys::Date::new(&(version.created_ms as f64).into());
        String::from(date.to_locale_string(language.get().tag(), &js_sys::Object::new()))
    };
    let title = move || (words.get().dataset.version)(number);
    let named = move |action: &str| format!("{action}: {}", title());
    view! {
        <li data-testid="dataset-version" data-value=number.to_string()>
            <div>
                <b>{title}</b>
                " "
                <span>{version.note}</span>
                <p class="hint">{date} " · " {move || (words.get().dataset.pairs)(version.pairs)}</p>
                {move || {
                    extent
                        .get()
                        .map(|it| {
                            let text = (words.get().dataset.since)(it.added, it.deleted, it.edited);
                            view! {
                                <p class="hint" role="status" data-testid="dataset-version-change">
                                    {text}
                                </p>
                            }
                        })
                }}
            </div>
            <div class="row-of-buttons">
                <button
                    class="quiet"
                    type="button"
                    data-testid="dataset-compare"
                    aria-label=move || named(words.get().dataset.compare)
                    on:click=compare
                >
                    {move || words.get().dataset.compare}
                </button>
                <button
                    class="quiet"
                    type="button"
                    data-testid="dataset-restore"
                    aria-label=move || named(words.get().dataset.restore)
                    on:click=restore
                >
                    {move || words.get().dataset.restore}
                </button>
            </div>
        </li>
    }
}
